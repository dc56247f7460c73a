"""Who may do what in which state: one table, held against what is offered and against what is refused.

Roles: `holder` has the item, `asker` lent it or added its holder, `starter` sent the request, `admin` administers
processes, `reader` was sent a copy, `stranger` has nothing to do with it. What is not in a cell is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine import repository, work_items
from engine.actor import Actor
from engine.errors import AppError, Conflict, Forbidden, NotFound
from engine.models import Instance, WorkItem
from engine.work_items.rights import allowed_actions
from tests.engine.approvals import play
from tests.engine.approvals.play import BOSS, CHEN, LI, SUN, WANG, ZHAO, ZHOU
from tests.engine.site import Site

DECIDE = "approve reject return"
BESIDE = "transfer delegate consult add_signer cc circulate"

TABLE = f"""
state      | holder             | asker         | starter | admin                          | reader | stranger
open       | {DECIDE} {BESIDE}  | -             | -       | transfer assign                | -      | -
vote       | {DECIDE} abstain {BESIDE} | -      | -       | transfer assign remove_signer  | -      | -
delegated  | resolve            | take_back     | -       | assign                         | -      | -
added      | {DECIDE} {BESIDE}  | remove_signer | -       | transfer assign remove_signer  | -      | -
lent       | {DECIDE} {BESIDE}  | take_back     | -       | transfer assign                | -      | -
consulted  | resolve            | -             | -       | -                              | -      | -
waiting    | -                  | -             | -       | remove_signer                  | -      | -
approving  | reclaim            | -             | -       | -                              | -      | -
done       | reclaim            | -             | -       | -                              | -      | -
cancelled  | -                  | -             | -       | -                              | -      | -
suspended  | -                  | -             | -       | -                              | -      | -
ended      | -                  | -             | -       | -                              | -      | -
"""


def _table() -> dict[tuple[str, str], set[str]]:
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    return {
        (row[0], role): set(cell.replace("-", "").split())
        for row in rows
        for role, cell in zip(head[1:], row[1:], strict=True)
    }


EXPECTED = _table()
STATES = list(dict.fromkeys(state for state, _role in EXPECTED))
ROLES = ("holder", "asker", "starter", "admin", "reader", "stranger")


class Scene:
    """An item in one of the states, and who plays which role."""

    def __init__(self, state: str) -> None:
        self.people: dict[str, Actor] = {
            "holder": WANG,
            "asker": SUN,
            "starter": LI,
            "admin": BOSS,
            "reader": ZHAO,
            "stranger": play.Actor(person_id=77, name="路人"),
        }
        self.instance = play.chain(("first", "person(2)", self._policy(state)), ("second", "person(6)"))
        play.do(lambda s: work_items.send_copies(s, LI, self.instance, [ZHAO.person_id]))
        self.item = play.item_of(self.instance, WANG)
        getattr(self, f"_{state}")()

    def _policy(self, state: str) -> dict[str, str]:
        return {"sign": "vote", "vote_pass": "100%"} if state == "vote" else {}

    def _open(self) -> None:
        pass

    def _vote(self) -> None:
        pass

    def _delegated(self) -> None:
        play.do(lambda s: work_items.delegate(s, WANG, self.item, CHEN.person_id))
        self.people |= {"holder": CHEN, "asker": WANG}

    def _added(self) -> None:
        born = play.do(lambda s: work_items.add_signers(s, WANG, self.item, [CHEN.person_id], order="parallel"))
        self.item = born[0]
        self.people |= {"holder": CHEN, "asker": WANG}

    def _lent(self) -> None:
        play.do(lambda s: work_items.hand_to_proxy(s, BOSS, s.get_one(WorkItem, self.item), CHEN.person_id))
        self.people |= {"holder": CHEN, "asker": WANG}

    def _consulted(self) -> None:
        born = play.do(lambda s: work_items.consult(s, WANG, self.item, [CHEN.person_id], question="?"))
        self.item = born[0]
        self.people |= {"holder": CHEN, "asker": WANG}

    def _waiting(self) -> None:
        play.do(lambda s: work_items.add_signers(s, WANG, self.item, [CHEN.person_id], order="before"))

    def _approving(self) -> None:
        play.do(lambda s: work_items.add_signers(s, WANG, self.item, [CHEN.person_id], order="after"))

    def _done(self) -> None:
        play.act(self.instance, WANG)

    def _cancelled(self) -> None:
        born = play.do(lambda s: work_items.add_signers(s, WANG, self.item, [CHEN.person_id], order="parallel"))
        play.act(self.instance, WANG, "reject")
        self.item = born[0]
        self.people |= {"holder": CHEN, "asker": WANG}

    def _suspended(self) -> None:
        play.do(lambda s: work_items.suspend(s, BOSS, self.instance, "审计"))

    def _ended(self) -> None:
        play.act(self.instance, WANG)
        play.act(self.instance, ZHOU)

    def offered(self, actor: Actor) -> set[str]:
        def find(session: Session) -> set[str]:
            item = session.get_one(WorkItem, self.item)
            instance = session.get_one(Instance, self.instance)
            node = repository.get(session, instance.definition_id).compiled.nodes[item.node]
            return {r.action for r in allowed_actions(item, node, instance, actor) if r.granted}

        return play.house.read(find)


def _act(action: str) -> Callable[[Session, Actor, int], Any]:
    return lambda s, actor, item: work_items.act(s, actor, item, action, opinion="理由")


DO: dict[str, Callable[[Session, Actor, int], Any]] = {
    **{action: _act(action) for action in ("approve", "reject", "return", "abstain")},
    "transfer": lambda s, a, i: work_items.transfer(s, a, i, 8, reason="转"),
    "delegate": lambda s, a, i: work_items.delegate(s, a, i, 8, reason="看"),
    "consult": lambda s, a, i: work_items.consult(s, a, i, [8], question="?"),
    "add_signer": lambda s, a, i: work_items.add_signers(s, a, i, [8], order="before"),
    "cc": lambda s, a, i: work_items.send_from_item(s, a, i, [8]),
    "circulate": lambda s, a, i: work_items.send_from_item(s, a, i, [8], kind="circulate"),
    "resolve": lambda s, a, i: work_items.resolve(s, a, i, opinion="可"),
    "take_back": work_items.take_back,
    "remove_signer": work_items.remove_signer,
    "reclaim": work_items.reclaim,
    "assign": lambda s, a, i: work_items.assign(s, a, i, 8, reason="派"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_page_offers_what_the_table_says(site: Site, state: str) -> None:
    scene = Scene(state)
    found = {role: scene.offered(scene.people[role]) for role in ROLES}
    assert found == {role: EXPECTED[state, role] for role in ROLES}


@pytest.mark.parametrize("state", STATES)
def test_everything_else_is_refused_and_changes_nothing(site: Site, state: str) -> None:
    scene = Scene(state)
    before = play.states(scene.instance), play.house.actions(scene.instance)
    for role in ROLES:
        actor = scene.people[role]
        for action in DO.keys() - EXPECTED[state, role]:
            with pytest.raises((Forbidden, NotFound, Conflict)):
                play.do(lambda s, do=DO[action], who=actor: do(s, who, scene.item))
    assert (play.states(scene.instance), play.house.actions(scene.instance)) == before


@pytest.mark.parametrize(
    ("state", "role", "action"),
    [(state, role, action) for (state, role), actions in EXPECTED.items() for action in sorted(actions)],
)
def test_what_is_offered_works(site: Site, state: str, role: str, action: str) -> None:
    scene = Scene(state)
    actor = scene.people[role]
    if (state, action) == ("vote", "remove_signer"):  # the last who could decide stays
        with pytest.raises(AppError) as refused:
            play.do(lambda s: DO[action](s, actor, scene.item))
        assert refused.value.code == "last_signer"
        return
    if (state, action) == ("waiting", "remove_signer"):
        play.do(lambda s: DO[action](s, actor, play.item_of(scene.instance, CHEN)))
        return
    play.do(lambda s: DO[action](s, actor, scene.item))
    play.sound(scene.instance)
