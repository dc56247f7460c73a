"""Long incoming messages: any order, repeats, gaps."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from connectors.sms.pdu import Deliver, decode
from connectors.sms.reassembly import Reassembly
from connectors.sms.segments import Alphabet
from tests.connectors.pdu_peer import WHEN, deliver


def part(text: str, place: tuple[int, int, int], *, sender: str = "+8613900000000", wide: bool = False) -> Deliver:
    read = decode(deliver(sender, text, concat=place, wide=wide))
    assert isinstance(read, Deliver)
    return read


PARTS = [part("第一", (9, 3, 1)), part("第二", (9, 3, 2)), part("第三", (9, 3, 3))]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_come_in_any_order_and_twice(order: tuple[int, ...]) -> None:
    reassembly = Reassembly()
    first, second, third = (PARTS[index] for index in order)
    assert reassembly.add(first, WHEN) is None
    assert reassembly.add(first, WHEN) is None
    assert reassembly.add(second, WHEN) is None
    message = reassembly.add(third, WHEN)
    assert message is not None
    assert (message.text, message.missing) == ("第一第二第三", ())
    assert reassembly.overdue(WHEN + timedelta(days=9)) == []


def test_a_single_message_needs_no_waiting() -> None:
    single = decode(deliver("10086", "余额 20 元"))
    assert isinstance(single, Deliver)
    message = Reassembly().add(single, WHEN)
    assert message is not None
    assert message.text == "余额 20 元"


def test_a_character_cut_in_two_by_the_sender_is_whole_again() -> None:
    reassembly = Reassembly()
    assert reassembly.add(part("好\ud83d", (1, 2, 1)), WHEN) is None
    message = reassembly.add(part("\ude00吗", (1, 2, 2)), WHEN)
    assert message is not None
    assert message.text == "好😀吗"


def test_an_escape_cut_in_two_is_whole_again() -> None:
    reassembly = Reassembly()
    one, two = part("", (1, 2, 1)), part("", (1, 2, 2))
    halves = [
        Deliver(p.sender, p.sent_at, Alphabet.GSM7, body, p.concat) for p, body in ((one, b"5 \x1b"), (two, b"e!"))
    ]
    assert reassembly.add(halves[0], WHEN) is None
    message = reassembly.add(halves[1], WHEN)
    assert message is not None
    assert message.text == "5 €!"


def test_senders_references_totals_and_widths_are_kept_apart() -> None:
    reassembly = Reassembly()
    strangers = [
        part("a", (9, 2, 1)),
        part("b", (9, 2, 2), sender="+8613900000001"),
        part("c", (8, 2, 2)),
        part("d", (9, 3, 2)),
        part("e", (9, 2, 2), wide=True),
    ]
    assert [reassembly.add(stranger, WHEN) for stranger in strangers] == [None] * 5


def test_after_a_day_the_gaps_are_named() -> None:
    reassembly = Reassembly()
    reassembly.add(PARTS[2], WHEN)
    reassembly.add(PARTS[0], WHEN + timedelta(hours=23))
    assert reassembly.overdue(WHEN + timedelta(hours=23, minutes=59)) == []
    (message,) = reassembly.overdue(WHEN + timedelta(hours=24))
    assert (message.text, message.missing) == ("第一〔缺第2段〕第三", (2,))
    assert reassembly.overdue(WHEN + timedelta(hours=24)) == []


def test_the_first_and_the_last_part_may_be_the_missing_ones() -> None:
    reassembly = Reassembly()
    reassembly.add(PARTS[1], WHEN)
    (message,) = reassembly.overdue(WHEN + timedelta(hours=24))
    assert (message.text, message.missing) == ("〔缺第1段〕第二〔缺第3段〕", (1, 3))
