"""Deadlines in words, and a word for every state and action the engine knows."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest

import engine
import processes
from engine import i18n, models, states
from engine.work_items import rights
from tests.conftest import TestClock
from tests.demo_house import DemoHouse
from webapp.skin import words


@pytest.mark.parametrize(
    ("hours", "said", "tone"),
    [
        (-1, "Just overdue", "red"),  # nobody works at eight in the morning
        (-64, "Overdue by 1 working hour", "red"),
        (-72, "Overdue by 1 working day", "red"),
        (-24 * 5, "Overdue by 3 working days", "red"),
        (0, "Just overdue", "red"),
        (0.5, "30 working minutes left", "amber"),
        (2, "2 working hours left", "amber"),
        (9, "1 working day left", "green"),
        (24, "1 working day left", "green"),
        (29, "1.5 working days left", "green"),
        (72, "3 working days left", "green"),
    ],
)
def test_a_deadline_says_how_it_stands(clock: TestClock, hours: float, said: str, tone: str) -> None:
    with i18n.reading_as("en"):
        word = words.due(clock.at + timedelta(hours=hours), min(clock.at, clock.at + timedelta(hours=hours)))
        assert word is not None
        assert (str(word.text), word.tone) == (said, tone)


def test_half_of_the_time_turns_it_amber_and_the_moment_stands_on_hover(clock: TestClock) -> None:
    due = clock.at + timedelta(hours=57)  # three working days
    tones = []
    for hours in (0, 24, 29, 57):
        begun = clock.at
        clock.advance(hours=hours)
        word = words.due(due, begun)
        clock.turn_to(begun)
        assert word is not None
        assert word.hint == "2026-11-25 18:00"
        tones.append(word.tone)
    assert tones == ["green", "green", "amber", "red"]


def test_the_worst_of_several_is_told(clock: TestClock) -> None:
    now = clock.at
    dues = [(now + timedelta(hours=72), now), (now - timedelta(hours=72), now - timedelta(days=9)), (None, now)]
    with i18n.reading_as("en"):
        worst = words.worst_due(dues)
        assert worst is not None
        assert str(worst.text) == "Overdue by 1 working day"
    assert words.worst_due([(None, now)]) is None


def test_no_deadline_says_nothing() -> None:
    assert words.due(None) is None


def documented(model: type, attribute: str) -> set[str]:
    """The states a column's docstring in the engine lists."""
    source = Path(inspect.getfile(model)).read_text("utf-8")
    body = source.split(f"class {model.__name__}(Base)")[1].split("\nclass ")[0]
    said = re.search(rf'\n    {attribute}: Mapped.*?"""(.*?)"""', body, re.DOTALL)
    assert said
    return set(re.findall(r"\b[a-z]+\b(?=\s*(?:\||\(|$))", re.sub(r"\([^)]*\)", "", said.group(1))))


@pytest.mark.parametrize(
    ("model", "known"),
    [
        (models.Instance, words.INSTANCE_STATES),
        (models.WorkItem, words.ITEM_STATES),
        (models.OutboxMessage, words.OUTBOX_STATES),
    ],
)
def test_every_state_has_a_word(model: type, known: dict[str, words.Word]) -> None:
    assert documented(model, "state") <= known.keys()


def test_every_action_has_a_button_and_a_deed() -> None:
    for action in (*rights.APPROVAL_ACTIONS, "submit", "claim", "release", "withdraw", "terminate"):
        assert action in words.BUTTONS
        assert action in words.DEEDS


def test_whatever_is_logged_has_words() -> None:
    rooms = [Path(engine.__file__).parent, Path(processes.__file__).parent]
    logged = {
        action
        for room in rooms
        for module in room.rglob("*.py")
        for action in re.findall(r'\bEntry\("(\w+)"', module.read_text("utf-8"))
    }
    assert {"suspend", "add_signer", "remind"} <= logged
    assert logged <= words.DEEDS.keys()


def test_what_is_unknown_is_shown_as_it_is() -> None:
    assert str(words.instance_state("sleeping").text) == "sleeping"
    assert str(words.deed("juggle").text) == "juggle"


def test_how_long_something_lasts(clock: TestClock) -> None:
    with i18n.reading_as("en"):
        assert words.span(clock.at - timedelta(hours=3)) == "3 hours"
        assert words.span(clock.at - timedelta(hours=3), clock.at - timedelta(hours=1)) == "2 hours"
        assert words.span(None) == ""


def test_a_refusal_names_the_state_in_the_readers_words(house: DemoHouse) -> None:
    refused = states.stands_still("suspended")
    with i18n.reading_as("zh_CN"):
        assert str(refused) == "此流程的状态为“已挂起”，现在不能操作。"
    with i18n.reading_as("en"):
        assert str(refused) == "This process is “Suspended”; nothing can be done in it now."
