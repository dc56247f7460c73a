"""The SMS PDU codec: SMS-SUBMIT out, SMS-DELIVER and SMS-STATUS-REPORT in (3GPP TS 23.040). No I/O.

A PDU is the hexadecimal text of the modem's AT interface: service centre address first, then the TPDU.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from connectors.outcome import BadMessage, ConnectorError
from connectors.sms import alphabet as gsm
from connectors.sms.segments import Alphabet, alphabet_of, split

MTI_MASK, DELIVER, SUBMIT, STATUS_REPORT = 0x03, 0x00, 0x01, 0x02
VALIDITY_RELATIVE, REPORT_WANTED, HAS_HEADER = 0x10, 0x20, 0x40
DCS_GSM7, DCS_UCS2 = 0x00, 0x08
INTERNATIONAL, UNKNOWN_TYPE, ALPHANUMERIC = 0x91, 0x81, 0x50
TYPE_OF_NUMBER = 0x70
CONCAT_8, CONCAT_16 = 0x00, 0x08
DEFAULT_SMSC = "00"

_DIALABLE = re.compile(r"\+?[0-9*#]{1,20}")
_DIGITS = "0123456789*#abc"


class BadPdu(ConnectorError):
    """The bytes are not a PDU we can read."""

    code = "bad_pdu"


@dataclass(frozen=True)
class Concat:
    """This part's place in a longer message. `width` is the size of the reference in bits."""

    ref: int
    total: int
    index: int
    width: int = 8


@dataclass(frozen=True)
class Submit:
    """One outgoing part: `length` is what AT+CMGS wants, the octets of the TPDU without the service centre."""

    pdu: str
    length: int


class DeliveryState(StrEnum):
    DELIVERED = "delivered"
    TRYING = "trying"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    RESERVED = "reserved"

    @classmethod
    def of(cls, status: int) -> DeliveryState:
        """What a TP-Status says (TS 23.040, 9.2.3.15)."""
        if status <= 0x1F:
            return cls.DELIVERED
        if status <= 0x3F:
            return cls.TRYING
        if status <= 0x5F:
            return cls.FAILED
        return cls.GAVE_UP if status <= 0x7F else cls.RESERVED


@dataclass(frozen=True)
class StatusReport:
    ref: int
    to: str
    sent_at: datetime | None
    at: datetime | None
    status: int

    @property
    def state(self) -> DeliveryState:
        return DeliveryState.of(self.status)


@dataclass(frozen=True)
class Deliver:
    """One incoming part. `body` is one septet per byte, UTF-16BE or raw bytes, as `alphabet` says.

    The text of a long message is read from all its bodies together (`text_of`): some phones cut a character in two.
    """

    sender: str
    sent_at: datetime | None
    alphabet: Alphabet
    body: bytes
    concat: Concat | None = None

    @property
    def text(self) -> str:
        return text_of([self])


def text_of(parts: Sequence[Deliver]) -> str:
    """The text of consecutive parts; binary content shows as hexadecimal."""
    body = b"".join(part.body for part in parts)
    match parts[0].alphabet:
        case Alphabet.GSM7:
            return gsm.from_septets(body)
        case Alphabet.UCS2:
            return body.decode("utf-16-be", "replace")
        case Alphabet.BINARY:
            return body.hex()


# --- out -------------------------------------------------------------------------------------------------------------


def encode_submit(
    to: str,
    text: str,
    *,
    ref: int = 0,
    wide_ref: bool = False,
    validity: timedelta | None = None,
    want_report: bool = True,
) -> list[Submit]:
    """All parts of a message, in order.

    ref: the reference the parts share; its low 8 bits count, or 16 with `wide_ref`.
    Raises BadMessage for a number that cannot be dialled or a text of more than 255 parts.
    """
    address = encode_address(to)
    parts = split(text, wide_ref=wide_ref)
    alphabet = alphabet_of(text)
    first = SUBMIT | (REPORT_WANTED if want_report else 0) | (VALIDITY_RELATIVE if validity is not None else 0)
    period = bytes([encode_validity(validity)]) if validity is not None else b""
    coding = DCS_GSM7 if alphabet is Alphabet.GSM7 else DCS_UCS2
    encoded = []
    for index, part in enumerate(parts, start=1):
        header = _concat_header(ref, len(parts), index, wide_ref) if len(parts) > 1 else b""
        octet = first | (HAS_HEADER if header else 0)
        # 0x00 after the first octet: the modem sets the message reference. 0x00 before the coding: plain SMS protocol.
        tpdu = bytes([octet, 0x00]) + address + bytes([0x00, coding]) + period + _user_data(part, alphabet, header)
        encoded.append(Submit(DEFAULT_SMSC + tpdu.hex().upper(), len(tpdu)))
    return encoded


def encode_address(number: str) -> bytes:
    if not _DIALABLE.fullmatch(number):
        raise BadMessage(
            "The telephone number must be 1 to 20 digits, with a leading + when international.", code="bad_number"
        )
    digits = number.removeprefix("+")
    codes = [_DIGITS.index(digit) for digit in digits] + [0x0F] * (len(digits) % 2)
    packed = bytes(high << 4 | low for low, high in zip(codes[::2], codes[1::2], strict=True))
    return bytes([len(digits), INTERNATIONAL if number.startswith("+") else UNKNOWN_TYPE]) + packed


def encode_validity(validity: timedelta) -> int:
    """The relative validity octet, rounded up: 5-minute steps to 12 h, 30 minutes to 24 h, days to 30, weeks to 63."""
    minutes = max(1, -(-int(validity.total_seconds()) // 60))
    days = -(-minutes // (24 * 60))
    if minutes <= 12 * 60:
        return -(-minutes // 5) - 1
    if minutes <= 24 * 60:
        return 143 + -(-(minutes - 12 * 60) // 30)
    if days <= 30:
        return 166 + days
    return 192 + min(63, -(-days // 7))


def _concat_header(ref: int, total: int, index: int, wide: bool) -> bytes:
    if wide:
        return bytes([6, CONCAT_16, 4]) + (ref & 0xFFFF).to_bytes(2) + bytes([total, index])
    return bytes([5, CONCAT_8, 3, ref & 0xFF, total, index])


def _user_data(text: str, alphabet: Alphabet, header: bytes) -> bytes:
    if alphabet is Alphabet.UCS2:
        body = header + text.encode("utf-16-be")
        return bytes([len(body)]) + body
    septets = gsm.to_septets(text)
    fill, header_septets = _header_room(len(header))
    return bytes([header_septets + len(septets)]) + header + gsm.pack(septets, fill)


def _header_room(octets: int) -> tuple[int, int]:
    """(fill bits, septets) that a header of so many octets takes from 7-bit user data."""
    septets = -(-octets * 8 // 7)
    return septets * 7 - octets * 8, septets


# --- in --------------------------------------------------------------------------------------------------------------


class _Octets:
    """A cursor over the TPDU that refuses to run past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise BadPdu("The PDU ends too early.")
        self._at += count
        return self._data[self._at - count : self._at]

    def octet(self) -> int:
        return self.take(1)[0]

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)


def decode(pdu: str) -> Deliver | StatusReport:
    """Whatever a modem hands over as received. Raises BadPdu for anything else (a stored outgoing message, junk)."""
    try:
        octets = _Octets(bytes.fromhex(pdu))
    except ValueError as error:
        raise BadPdu("The PDU is not hexadecimal.") from error
    octets.take(octets.octet())
    first = octets.octet()
    match first & MTI_MASK:
        case 0x00:
            return _decode_deliver(first, octets)
        case 0x02:
            return _decode_status_report(octets)
        case _:
            raise BadPdu("The PDU is neither a received message nor a status report.")


def _decode_status_report(octets: _Octets) -> StatusReport:
    ref = octets.octet()
    to = _decode_address(octets)
    return StatusReport(ref, to, _decode_timestamp(octets.take(7)), _decode_timestamp(octets.take(7)), octets.octet())


def _decode_deliver(first: int, octets: _Octets) -> Deliver:
    sender = _decode_address(octets)
    octets.octet()  # protocol identifier: telematic interworking, of no use here
    alphabet = _alphabet_of_coding(octets.octet())
    sent_at = _decode_timestamp(octets.take(7))
    length = octets.octet()
    data = octets.rest()
    header = data[: data[0] + 1] if first & HAS_HEADER and data else b""
    concat = _find_concat(header)
    if alphabet is Alphabet.GSM7:
        fill, header_septets = _header_room(len(header))
        body = gsm.unpack(data[len(header) :], max(0, length - header_septets), fill)
    else:
        body = data[len(header) : length]
    return Deliver(sender, sent_at, alphabet, body, concat)


def _alphabet_of_coding(coding: int) -> Alphabet:
    group = coding >> 4
    if group == 0x0E:
        return Alphabet.UCS2
    if group == 0x0F:
        return Alphabet.BINARY if coding & 0x04 else Alphabet.GSM7
    if group <= 0x07:
        return (Alphabet.GSM7, Alphabet.BINARY, Alphabet.UCS2, Alphabet.GSM7)[coding >> 2 & 0x03]
    return Alphabet.GSM7


def _elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    rest = header[1:]
    while len(rest) >= 2:
        identifier, length = rest[0], rest[1]
        yield identifier, rest[2 : 2 + length]
        rest = rest[2 + length :]


def _find_concat(header: bytes) -> Concat | None:
    """The last valid one counts; a part 0, or 4 of 3, makes the message stand alone (TS 23.040, 9.2.3.24.1)."""
    found = None
    for identifier, data in _elements(header):
        match identifier, len(data):
            case (0x00, 3):
                candidate = Concat(data[0], data[1], data[2], 8)
            case (0x08, 4):
                candidate = Concat(int.from_bytes(data[:2]), data[2], data[3], 16)
            case _:
                continue
        if 1 <= candidate.index <= candidate.total:
            found = candidate
    return found if found and found.total > 1 else None


def _decode_address(octets: _Octets) -> str:
    digits, kind = octets.octet(), octets.octet()
    packed = octets.take((digits + 1) // 2)
    if kind & TYPE_OF_NUMBER == ALPHANUMERIC:
        return gsm.from_septets(gsm.unpack(packed, digits * 4 // 7))
    nibbles = [nibble for octet in packed for nibble in (octet & 0x0F, octet >> 4)][:digits]
    number = "".join(_DIGITS[nibble] for nibble in nibbles if nibble < len(_DIGITS))
    return f"+{number}" if kind & TYPE_OF_NUMBER == INTERNATIONAL & TYPE_OF_NUMBER else number


def _decode_timestamp(octets: bytes) -> datetime | None:
    """Service centre time, aware. None when the centre filled in nonsense, which happens."""
    year, month, day, hour, minute, second = ((octet & 0x0F) * 10 + (octet >> 4) for octet in octets[:6])
    zone = octets[6]
    quarters = (zone & 0x07) * 10 + (zone >> 4)
    offset = timedelta(minutes=15 * (-quarters if zone & 0x08 else quarters))
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)
    except ValueError:
        return None
