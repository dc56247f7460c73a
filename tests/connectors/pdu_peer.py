"""The network's side of the PDU format, written apart from the product's codec so that the two can judge each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gsmmodem.pdu import Concatenation, decodeSmsPdu

WHEN = datetime(2026, 11, 23, 9, 30, 15, tzinfo=UTC)
SHANGHAI = timedelta(hours=8)
UCS2 = 0x08


@dataclass(frozen=True)
class SubmittedPart:
    """What a service centre reads out of one SMS-SUBMIT."""

    number: str
    text: str
    ref: int = 0
    total: int = 1
    index: int = 1
    report_wanted: bool = False
    validity: timedelta | None = None


def read_submit(pdu: str) -> SubmittedPart:
    """Decoded by python-gsmmodem-new, which leaves a character outside the BMP as two surrogates (see `join`)."""
    content = decodeSmsPdu(pdu)
    assert content["type"] == "SMS-SUBMIT"
    octets = bytes.fromhex(pdu)[int(pdu[:2], 16) + 1 :]
    first, coding = octets[0], octets[(octets[2] + 1) // 2 + 5]
    # It also has a backtick where the GSM alphabet has a section sign; the alphabet knows no backtick.
    text = content["text"] if coding == UCS2 else content["text"].replace("`", "§")
    concat = next((element for element in content.get("udh", []) if isinstance(element, Concatenation)), None)
    place = (concat.reference, concat.parts, concat.number) if concat else (0, 1, 1)
    return SubmittedPart(content["number"], text, *place, bool(first & 0x20), content.get("validity"))


def join(texts: list[str]) -> str:
    """Texts of parts in order as a phone shows them, surrogates joined again."""
    return "".join(texts).encode("utf-16", "surrogatepass").decode("utf-16")


def swapped(digits: str) -> bytes:
    digits += "F" * (len(digits) % 2)
    return bytes.fromhex("".join(b + a for a, b in zip(digits[::2], digits[1::2], strict=True)))


def address(number: str) -> bytes:
    digits = number.removeprefix("+")
    return bytes([len(digits), 0x91 if number.startswith("+") else 0xA1]) + swapped(digits)


def timestamp(at: datetime) -> bytes:
    local = at + SHANGHAI
    return swapped(f"{local:%y%m%d%H%M%S}32")


def deliver(
    sender: str, text: str, *, concat: tuple[int, int, int] | None = None, wide: bool = False, at: datetime = WHEN
) -> str:
    """An SMS-DELIVER in UCS-2; `concat` is (reference, total, index). Lone surrogates pass, as from some phones."""
    body = text.encode("utf-16-be", "surrogatepass")
    header = b""
    if concat:
        ref, total, index = concat
        header = bytes([6, 8, 4, ref >> 8, ref & 255, total, index]) if wide else bytes([5, 0, 3, ref, total, index])
    first = 0x44 if header else 0x04
    data = header + body
    tpdu = bytes([first]) + address(sender) + b"\x00\x08" + timestamp(at) + bytes([len(data)]) + data
    return ("00" + tpdu.hex()).upper()


def status_report(ref: int, to: str, *, status: int = 0, at: datetime = WHEN) -> str:
    tpdu = bytes([0x06, ref]) + address(to) + timestamp(at) + timestamp(at) + bytes([status])
    return ("00" + tpdu.hex()).upper()
