"""Running instances go to another version of their drawing from every place a token can stand in, and on to the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from engine import workflow
from engine.errors import InvalidForm
from engine.workflow.contract import CompiledProcess
from tests.engine.workflow.drawing import MESSAGES, Drawing, event, timer
from tests.engine.workflow.kit import Play, compiled
from tests.engine.workflow.test_events import inside, with_sub

Draw = Callable[[Drawing], None]


def drawing(draw: Draw, *more: Drawing) -> CompiledProcess:
    d = Drawing()
    d.start()
    d.end()
    draw(d)
    return compiled(d, *more, head=MESSAGES)


def move(play: Play, to: CompiledProcess, chosen: Mapping[str, str] | None = None) -> workflow.Moved:
    """Take the played instance over; what the tables knew of its tokens follows, as the recorder's rows do."""
    old, new = workflow.version(play.process), workflow.version(to)
    found = workflow.node_map(old, new, chosen)
    moved = workflow.move(old, new, play.live.dump(), found.elements, play.house)
    play.process, play.live = to, moved.live
    for table in (play.open, play.timers, play.waits):
        for token in list(table):
            if token in moved.kept:
                table[token] = moved.kept[token][1]
    play._after()
    assert {t.token for t in moved.open_tasks} == set(play.open)
    return moved


def refused(play: Play, to: CompiledProcess, chosen: Mapping[str, str] | None = None) -> list[str]:
    before = play.live.dump()
    with pytest.raises(workflow.CannotMove) as refusal:
        move(play, to, chosen)
    assert play.live.dump() == before
    return [one.element for one in refusal.value.obstacles]


def to_end(play: Play, *tasks: str) -> None:
    for task in tasks:
        play.complete(task)
    assert play.ended == "completed"


# ---------------------------------------------------------------------------------------------------- diagram pairs


def line(*tasks: str, **names: str) -> Draw:
    def draw(d: Drawing) -> None:
        for task in tasks:
            d.user(task, name=names.get(task, task))
        d.chain("start", *tasks, "end")

    return draw


PAIRS: dict[str, tuple[Draw, Draw, str, tuple[str, ...]]] = {
    "nothing": (line("a", "b"), line("a", "b"), "a", ("a", "b")),
    "id changed, name kept": (line("a", "b"), line("x", "b", x="a"), "a", ("x", "b")),
    "name changed, id kept": (line("a", "b"), line("a", "b", a="other"), "a", ("a", "b")),
    "both changed, neighbours kept": (line("z", "a", "b"), line("z", "x", "b"), "a", ("x", "b")),
    "inserted before": (line("a", "b"), line("n", "a", "b"), "a", ("a", "b")),
    "inserted after": (line("a", "b"), line("a", "n", "b"), "a", ("a", "n", "b")),
    "another one removed": (line("a", "b"), line("a"), "a", ("a",)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_one_line(name: str) -> None:
    before, after, at, rest = PAIRS[name]
    play = Play(drawing(before), {"x": 1})
    for task in ("z",) if "z" in play.nodes else ():
        play.complete(task)
    assert play.nodes == [at]
    token = min(play.open)
    moved = move(play, drawing(after))
    assert play.open == {token: rest[0]}, "the item stays with its token"
    assert moved.kept[token] == (at, rest[0])
    assert not play.changes.opened
    assert not play.changes.cancelled
    to_end(play, *rest)
    assert play.data == {"x": 1}


def test_a_removed_task_with_a_token_is_refused_unless_a_person_says_where_it_goes() -> None:
    play = Play(drawing(line("a", "b")))
    assert refused(play, drawing(line("b"))) == ["a"]
    move(play, drawing(line("b")), {"a": "b"})
    to_end(play, "b")


def test_a_person_cannot_choose_an_element_of_another_kind_or_none_at_all() -> None:
    old, new = workflow.version(drawing(line("a"))), workflow.version(drawing(line("a", "b")))
    for chosen in ({"a": "end"}, {"a": "nowhere"}, {"nowhere": "a"}):
        with pytest.raises(InvalidForm):
            workflow.node_map(old, new, chosen)
    assert refused(Play(drawing(line("a"))), drawing(line("a", "b")), {"a": ""}) == ["a"]


def test_each_entry_of_the_map_says_why_and_how_sure_it_is() -> None:
    old = workflow.version(drawing(line("a", "b", "c", "d")))
    new = workflow.version(drawing(line("a", "x", "y", x="b")))
    found = {one.old: one for one in workflow.node_map(old, new, {"d": ""}).matches}
    assert (found["a"].new, found["a"].reason, found["a"].confidence) == ("a", "same", 100)
    assert (found["b"].new, found["b"].reason) == ("x", "name")
    assert found["b"].confidence > found["c"].confidence > 0
    assert (found["c"].new, found["c"].reason) == ("y", "neighbours")
    assert (found["d"].new, found["d"].reason) == ("", "person")
    assert "end" not in found, "no token stands there"


def test_what_was_sent_back_to_its_starter_moves_too() -> None:
    def draw(start: str) -> CompiledProcess:
        d = Drawing()
        d.start(start)
        d.user("a")
        d.end()
        d.chain(start, "a", "end")
        return compiled(d)

    play = Play(draw("start"))
    play.call("jump", min(play.open), "start", {})
    assert play.nodes == ["start"]
    move(play, draw("begin"))
    assert play.nodes == ["begin"]
    to_end(play, "begin", "a")


# ---------------------------------------------------------------------------------------------------- gateways


def fork(*branches: str, join: str = "join") -> Draw:
    def draw(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", join)
        for branch in branches:
            d.user(branch)
            d.chain("fork", branch, join)
        d.flow("start", "fork")
        d.flow(join, "end")

    return draw


def test_a_join_keeps_who_has_come_though_its_flows_have_other_ids() -> None:
    def renamed(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        for branch in ("a", "b"):
            d.user(branch)
            d.flow("fork", branch)
            d.flow(branch, "join", id=f"into_{branch}")
        d.flow("start", "fork")
        d.flow("join", "end")

    play = Play(drawing(fork("a", "b")))
    play.complete("a")
    move(play, drawing(renamed))
    to_end(play, "b")
    assert play.visited().count("join") == 1


def test_a_parallel_branch_added_behind_the_token_would_wait_for_ever() -> None:
    play = Play(drawing(fork("a", "b")))
    play.complete("a")
    assert refused(play, drawing(fork("a", "b", "c"))) == ["b"]


def test_a_parallel_branch_added_before_the_fork_is_reached_is_fine() -> None:
    def first(d: Drawing, *branches: str) -> None:
        d.user("z")
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        for branch in branches:
            d.user(branch)
            d.chain("fork", branch, "join")
        d.chain("start", "z", "fork")
        d.flow("join", "end")

    play = Play(drawing(lambda d: first(d, "a", "b")))
    move(play, drawing(lambda d: first(d, "a", "b", "c")))
    to_end(play, "z", "a", "b", "c")


def test_a_loop_back_to_the_fork_does_not_hide_that_a_join_would_wait_for_ever() -> None:
    def looped(*branches: str) -> Draw:
        def draw(d: Drawing) -> None:
            d.add("exclusiveGateway", "into")
            d.add("parallelGateway", "fork")
            d.add("parallelGateway", "join")
            for branch in branches:
                d.user(branch)
                d.add("exclusiveGateway", f"ok_{branch}", default=f"yes_{branch}")
                d.chain("fork", branch, f"ok_{branch}")
                d.flow(f"ok_{branch}", "join", id=f"yes_{branch}")
                d.flow(f"ok_{branch}", "into", 'outcome == "return"')
            d.chain("start", "into", "fork")
            d.flow("join", "end")

        return draw

    play = Play(drawing(looped("a", "b")))
    assert refused(play, drawing(looped("a", "b", "c")))


def test_a_branch_taken_away_lets_the_join_go_on_when_all_that_is_left_has_come() -> None:
    play = Play(drawing(fork("a", "b", "c")))
    play.complete("a")
    play.complete("b")
    assert refused(play, drawing(fork("a", "b"))) == ["c"], "its token would be lost"
    play.complete("c")


def test_a_gateway_that_is_gone_from_before_a_waiting_token_is_refused() -> None:
    play = Play(drawing(fork("a", "b")))
    play.complete("a")
    assert refused(play, drawing(line("a", "b"))) == ["join"]


def test_a_gateway_drawn_behind_the_task_is_taken() -> None:
    def asked(d: Drawing) -> None:
        d.user("a")
        d.user("more")
        d.add("exclusiveGateway", "which", default="no")
        d.chain("start", "a", "which")
        d.flow("which", "more", "x > 1")
        d.flow("which", "end", id="no")
        d.flow("more", "end")

    play = Play(drawing(line("a")), {"x": 2})
    move(play, drawing(asked))
    to_end(play, "a", "more")


# ---------------------------------------------------------------------------------------------------- sub-processes


def boxed(box: str = "box", *, after: str = "") -> Draw:
    def draw(d: Drawing) -> None:
        with_sub(d, box, inside)
        if after:
            d.user(after)
        d.chain("start", box, *([after] if after else []), "end")

    return draw


def test_a_task_moved_into_a_sub_process_begins_it_and_out_of_it_dissolves_it() -> None:
    play = Play(drawing(line("work", "b")), {"x": 1})
    token = min(play.open)
    move(play, drawing(boxed(after="b")))
    assert play.open == {token: "work"}
    assert [t.node for t in play.live.tokens()] == ["work", "box"]
    move(play, drawing(line("work", "b")))
    assert [t.node for t in play.live.tokens()] == ["work"]
    move(play, drawing(boxed("other", after="b")))
    play.complete("work", y=2)
    to_end(play, "b")
    assert play.data == {"x": 1, "y": 2}
    assert [node for node, did in play.path if did == "left" and node in {"work", "other"}] == ["work", "other"]


def test_what_ended_paths_of_a_dissolved_sub_process_have_said_is_kept() -> None:
    def wrapped(d: Drawing) -> None:
        with_sub(d, "box", _two_paths)
        d.chain("start", "box", "end")

    def bare(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.user("a")
        d.user("b")
        d.end("a_end")
        d.chain("start", "fork", "a", "a_end")
        d.chain("fork", "b", "end")

    play = Play(drawing(wrapped))
    play.complete("a", said="by a")
    move(play, drawing(bare))
    play.complete("b", other="by b")
    assert play.ended == "completed"
    assert play.data == {"said": "by a", "other": "by b"}


def _two_paths(d: Drawing) -> None:
    d.start("in")
    d.add("parallelGateway", "fork")
    d.user("a")
    d.user("b")
    d.end("out_a")
    d.end("out_b")
    d.chain("in", "fork", "a", "out_a")
    d.chain("fork", "b", "out_b")


def test_two_tokens_drawn_into_one_sub_process_share_it() -> None:
    def wrapped(d: Drawing) -> None:
        with_sub(d, "box", _joined)
        d.chain("start", "box", "end")

    play = Play(drawing(fork("a", "b")))
    move(play, drawing(wrapped))
    assert [t.node for t in play.live.tokens()].count("box") == 1
    to_end(play, "a", "b")


def _joined(d: Drawing) -> None:
    d.start("in")
    d.add("parallelGateway", "fork")
    d.add("parallelGateway", "join")
    d.user("a")
    d.user("b")
    d.end("out")
    d.chain("in", "fork", "a", "join", "out")
    d.chain("fork", "b", "join")


def test_a_sub_process_drawn_deeper_is_begun_at_every_level() -> None:
    def deep(d: Drawing) -> None:
        with_sub(d, "outer", _outer)
        d.chain("start", "outer", "end")

    def _outer(d: Drawing) -> None:
        d.start("o_in")
        with_sub(d, "box", inside)
        d.end("o_out")
        d.chain("o_in", "box", "o_out")

    play = Play(drawing(boxed()), {"x": 1})
    move(play, drawing(deep))
    assert sorted(t.node for t in play.live.tokens()) == ["box", "outer", "work"]
    move(play, drawing(boxed()))
    move(play, drawing(deep))
    to_end(play, "work")
    assert [n for n, did in play.path if did == "left" and n in {"work", "box", "outer"}] == ["work", "box", "outer"]


def test_a_repeated_sub_process_cannot_be_begun_half_way() -> None:
    def many(d: Drawing) -> None:
        with_sub(d, "box", _inside_many)
        d.chain("start", "box", "end")

    def _inside_many(d: Drawing) -> None:
        inside(d)
        repeats = "multiInstanceLoopCharacteristics"
        d.parts.append(f'<{repeats} id="mi"><loopCardinality>2</loopCardinality>@mi@</{repeats}>')

    assert refused(Play(drawing(line("work"))), drawing(many)) == ["work"]
    play = Play(drawing(many))
    assert refused(play, drawing(boxed())) == ["box"]


# ---------------------------------------------------------------------------------------------------- called processes


def child(*tasks: str) -> Drawing:
    d = Drawing("child")
    d.start("c_start")
    for task in tasks:
        d.user(task)
    d.end("c_end")
    d.chain("c_start", *tasks, "c_end")
    return d


def calling(called: str = "child", id: str = "call") -> Draw:
    def draw(d: Drawing) -> None:
        d.add("callActivity", id, name="Call", calledElement=called)
        d.chain("start", id, "end")

    return draw


def test_inside_a_called_process_tokens_move_with_its_new_drawing() -> None:
    play = Play(drawing(calling(), child("review")), {"x": 1})
    move(play, drawing(calling(id="call2"), child("before", "review", "sign")))
    assert sorted(t.node for t in play.live.tokens()) == ["call2", "review"]
    play.complete("review", y=2)
    to_end(play, "sign")
    assert play.data == {"x": 1, "y": 2}


def test_another_called_process_and_a_task_drawn_into_a_called_one_are_refused() -> None:
    other = Drawing("other")
    other.start("o_start")
    other.user("review")
    other.end("o_end")
    other.chain("o_start", "review", "o_end")
    assert "call" in refused(Play(drawing(calling(), child("review"))), drawing(calling("other"), other))
    assert refused(Play(drawing(line("review"))), drawing(calling(), child("review"))) == ["review"]
    assert "call" in refused(Play(drawing(calling(), child("review"))), drawing(line("review")))


# ---------------------------------------------------------------------------------------------------- multi-instance

MANY = '<multiInstanceLoopCharacteristics{} camunda:collection="people" camunda:elementVariable="one"/>'


def countersign(id: str = "sign", attributes: str = "", name: str = "Sign") -> Draw:
    def draw(d: Drawing) -> None:
        d.user(id, MANY.format(attributes), name=name)
        d.user("last")
        d.chain("start", id, "last", "end")

    return draw


@pytest.mark.parametrize("attributes", ["", ' isSequential="true"'])
def test_a_countersign_goes_on_counting(attributes: str) -> None:
    play = Play(drawing(countersign(attributes=attributes)), {"people": ["a", "b", "c"]})
    play.complete("sign")
    move(play, drawing(countersign("sign2", attributes)))
    play.complete("sign2")
    play.complete("sign2")
    to_end(play, "last")
    assert [node for node, did in play.path if did == "left"].count("sign2") == 1


def test_one_that_repeats_in_another_way_is_refused() -> None:
    single = drawing(line("sign", "last"))
    play = Play(drawing(countersign()), {"people": ["a", "b"]})
    assert set(refused(play, single)) == {"sign"}
    assert set(refused(play, drawing(countersign(attributes=' isSequential="true"')))) == {"sign"}
    assert refused(Play(single, {"people": ["a"]}), drawing(countersign())) == ["sign"]


# ---------------------------------------------------------------------------------------------------- timers and waits


def bordered(*borders: tuple[str, str, bool]) -> Draw:
    def draw(d: Drawing) -> None:
        d.user("a")
        d.chain("start", "a", "end")
        for id, what, interrupting in borders:
            d.add("boundaryEvent", id, what, attachedToRef="a", cancelActivity=str(interrupting).lower())
            d.user(f"{id}_task")
            d.chain(id, f"{id}_task", "end")

    return draw


def test_a_timer_that_stays_keeps_its_moment_though_its_duration_is_another_now() -> None:
    play = Play(drawing(bordered(("late", timer("PT8H"), False))))
    due = dict(play.due)
    play.house.at += timedelta(hours=3)
    move(play, drawing(bordered(("late", timer("PT1H"), True))))
    assert play.due == due
    assert play.timers == dict.fromkeys(due, "late")
    play.fire("late")
    assert play.nodes == ["late_task"], "it interrupts, as the new drawing says"


def test_a_renamed_timer_follows_its_host() -> None:
    play = Play(drawing(bordered(("late", timer("PT8H"), False))))
    due = dict(play.due)
    move(play, drawing(bordered(("reminder", timer("PT8H"), False))))
    assert play.due == due
    play.fire("reminder")
    assert play.nodes == ["a", "reminder_task"]


def test_a_new_timer_begins_now_and_a_removed_one_is_cleared() -> None:
    play = Play(drawing(bordered()))
    play.house.at += timedelta(hours=3)
    move(play, drawing(bordered(("late", timer("PT8H"), False))))
    assert list(play.due.values()) == [play.house.at + timedelta(hours=8)]
    move(play, drawing(bordered()))
    assert not play.timers
    to_end(play, "a")


def test_a_timer_that_has_struck_does_not_strike_again_because_of_a_new_version() -> None:
    play = Play(drawing(bordered(("late", timer("PT8H"), False))))
    play.fire("late")
    move(play, drawing(bordered(("late", timer("PT4H"), False))))
    assert not play.timers


def test_an_event_of_another_kind_takes_the_place_of_the_old_one() -> None:
    play = Play(drawing(bordered(("late", timer("PT8H"), False))))
    move(play, drawing(bordered(("late", event("message", "m"), True))))
    assert not play.timers
    play.deliver("late", "paid")
    assert play.nodes == ["late_task"]


def test_a_wait_for_a_message_of_another_name_waits_for_that_one() -> None:
    def waiting(ref: str) -> Draw:
        def draw(d: Drawing) -> None:
            d.add("intermediateCatchEvent", "wait", event("message", ref))
            d.chain("start", "wait", "end")

        return draw

    play = Play(drawing(waiting("m")))
    moved = move(play, drawing(waiting("m2")))
    assert list(moved.awaited.values()) == ["refused"]
    play.deliver("wait", "refused")
    assert play.ended == "completed"


def test_a_timer_whose_expression_cannot_be_reckoned_refuses_the_instance() -> None:
    play = Play(drawing(bordered()))
    assert refused(play, drawing(bordered(("late", timer("missing + 1"), False)))) == [""]


def test_a_border_around_a_new_sub_process_is_armed() -> None:
    def guarded(d: Drawing) -> None:
        with_sub(d, "box", inside)
        d.add("boundaryEvent", "late", timer("PT8H"), attachedToRef="box")
        d.user("other")
        d.chain("start", "box", "end")
        d.chain("late", "other", "end")

    play = Play(drawing(line("work")))
    move(play, drawing(guarded))
    play.fire("late")
    assert play.nodes == ["other"]
    to_end(play, "other")


def handled(interrupting: str, *, what: str = "") -> Draw:
    def draw(d: Drawing) -> None:
        d.user("a")
        d.chain("start", "a", "end")
        with_sub(d, "handler", lambda inner: _handler(inner, interrupting, what), triggeredByEvent="true")

    return draw


def _handler(d: Drawing, interrupting: str, what: str) -> None:
    d.add("startEvent", "heard", what or event("message", "m"), isInterrupting=interrupting)
    d.user("handle")
    d.end("handled")
    d.chain("heard", "handle", "handled")


def test_an_event_sub_process_drawn_since_listens_and_one_taken_away_does_not() -> None:
    play = Play(drawing(line("a")))
    move(play, drawing(handled("false")))
    play.deliver("heard", "paid")
    assert play.nodes == ["a", "handle"]
    assert refused(play, drawing(line("a"))) == ["handler", "handle"]
    play.complete("handle")
    move(play, drawing(line("a")))
    assert not play.waits
    to_end(play, "a")


def test_an_interrupting_event_sub_process_that_has_struck_does_not_listen_again() -> None:
    play = Play(drawing(handled("true")))
    play.deliver("heard", "paid")
    move(play, drawing(handled("true")))
    assert not play.waits
    to_end(play, "handle")


# ---------------------------------------------------------------------------------------------------- races, failures


def race(*events: tuple[str, str]) -> Draw:
    def draw(d: Drawing) -> None:
        d.add("eventBasedGateway", "race")
        d.flow("start", "race")
        for id, what in events:
            d.add("intermediateCatchEvent", id, what)
            d.chain("race", id, "end")

    return draw


def test_an_event_drawn_behind_the_same_gateway_joins_the_race() -> None:
    play = Play(drawing(race(("paid", event("message", "m")), ("late", timer("P2D")))))
    move(play, drawing(race(("paid", event("message", "m")), ("late", timer("P2D")), ("stop", event("signal", "s")))))
    assert sorted(play.waits.values()) == ["paid", "stop"]
    play.deliver("stop", "stop")
    assert play.ended == "completed"
    assert not play.timers
    assert ("race_stop", "taken") in play.path


def test_what_has_failed_is_tried_again_in_the_new_version() -> None:
    def script(text: str) -> Draw:
        def draw(d: Drawing) -> None:
            d.script("s", text)
            d.chain("start", "s", "end")

        return draw

    play = Play(drawing(script("x = missing + 1")))
    token = next(iter(play.failures))
    move(play, drawing(script("x = 1")))
    play.call("retry", token)
    assert play.ended == "completed"
    assert play.data == {"x": 1}


def test_what_runs_behind_a_boundary_event_still_knows_its_host() -> None:
    def draw(host: str) -> Draw:
        def drawn(d: Drawing) -> None:
            d.user(host, name="Host")
            d.chain("start", host, "end")
            d.add("boundaryEvent", "late", timer("PT8H"), attachedToRef=host, cancelActivity="false")
            d.user("look")
            d.chain("late", "look", "end")

        return drawn

    play = Play(drawing(draw("a")))
    play.fire("late")
    moved = move(play, drawing(draw("a2")))
    (seen,) = [task.data["boundary"]["host"] for task in moved.open_tasks if task.node == "look"]
    assert seen == "a2"
