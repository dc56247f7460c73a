"""The PDU codec against foreign decoders, recorded PDUs and its own limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st
from smspdudecoder.easy import read_outgoing_sms

from connectors.outcome import BadMessage
from connectors.sms import alphabet, pdu
from connectors.sms.pdu import Concat, DeliveryState, StatusReport
from connectors.sms.segments import Alphabet, count, split
from tests.connectors import pdu_peer

try:
    import gammu
except ImportError:
    gammu = None

TEXTS = [
    "",
    "x",
    "Hello, world",
    "您的报销单 EC-000123 已通过。",
    "😀",
    "𠮷野家 👩‍👩‍👧 ok",
    "€ {ok} [x] ~ | ^ \\",
    "a" * 160,
    "a" * 161,
    "a" * 159 + "€",
    "{}" * 100,
    "云" * 70,
    "云" * 71,
    "云" * 134,
    "云" * 135,
    "云" * 66 + "😀" * 40,
    "line one\nline two\r\n第三行",
    "@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà",
]
NUMBERS = ["13800138000", "+8613800138000", "10086", "1069012345678901234", "+1"]
# python-gsmmodem-new knows no form feed, which the extension table has.
VALID_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\f"), max_size=400)
GSM_TEXT = st.text(
    st.sampled_from(alphabet.BASIC.replace("\x1b", "") + "".join(alphabet.EXTENSION.values()).replace("\f", "")),
    max_size=400,
)


def has_extension(text: str) -> bool:
    return any(char in alphabet.EXTENSION.values() for char in text)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("text", TEXTS)
def test_gsmmodem_reads_what_we_write(text: str, number: str) -> None:
    parts = [pdu_peer.read_submit(part.pdu) for part in pdu.encode_submit(number, text, ref=300)]
    assert pdu_peer.join([part.text for part in parts]) == text
    assert {part.number for part in parts} == {number}
    if len(parts) > 1:
        assert [(part.ref, part.total, part.index) for part in parts] == [
            (300 & 0xFF, len(parts), index) for index in range(1, len(parts) + 1)
        ]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_smspdudecoder_reads_what_we_write(text: str, wide: bool) -> None:
    parts = pdu.encode_submit("+8613800138000", text, ref=0x1234, wide_ref=wide, validity=timedelta(days=1))
    assert_reads([read_outgoing_sms(part.pdu)["content"] for part in parts], text, wide=wide)


@pytest.mark.skipif(gammu is None, reason="no python-gammu: pip install python-gammu")
@pytest.mark.parametrize("text", [text for text in TEXTS if text])
@pytest.mark.parametrize("number", NUMBERS)
def test_gammu_reads_what_we_write(text: str, number: str) -> None:
    parts = [gammu.DecodePDU(bytes.fromhex(part.pdu), True) for part in pdu.encode_submit(number, text, ref=7)]
    assert_reads([part["Text"] for part in parts], text)
    assert {part["Number"] for part in parts} == {number}
    if len(parts) > 1:
        assert {part["UDH"]["ID8bit"] for part in parts} == {7}


def assert_reads(read: list[str], text: str, *, wide: bool = False) -> None:
    """Both judges read on, as many characters as there are extension characters, after the end of a text that has any.

    python-gsmmodem-new, the third, shows that such a text ends where it should.
    """
    written = split(text, wide_ref=wide)
    if has_extension(text):
        read = [part[: len(own)] for part, own in zip(read, written, strict=True)]
    assert pdu_peer.join(read) == text


@given(text=VALID_TEXT | GSM_TEXT, ref=st.integers(0, 0xFFFF), number=st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True))
def test_any_text_survives_the_way(text: str, ref: int, number: str) -> None:
    parts = [pdu_peer.read_submit(part.pdu) for part in pdu.encode_submit(number, text, ref=ref)]
    assert pdu_peer.join([part.text for part in parts]) == text
    assert {part.number for part in parts} == {number}


@given(text=VALID_TEXT, wide=st.booleans())
def test_no_part_is_too_long_and_none_could_be_spared(text: str, wide: bool) -> None:
    parts = pdu.encode_submit("10086", text, wide_ref=wide)
    for part in parts:
        octets = bytes.fromhex(part.pdu)
        assert part.length == len(octets) - 1
        assert len(octets) <= 1 + 2 + 5 + 2 + 1 + 140
    units = count(text).units
    room = 67 if count(text).alphabet is Alphabet.UCS2 else 153
    assert len(split(text)) <= max(1, -(-units // (room - 1)))


@pytest.mark.parametrize(
    ("text", "segments", "left"),
    [
        ("", 1, 160),
        ("a" * 160, 1, 0),
        ("a" * 161, 2, 145),
        ("云" * 70, 1, 0),
        ("云" * 71, 2, 63),
        ("云" * 134, 2, 0),
        ("云" * 135, 3, 66),
        ("€" * 80, 1, 0),
        ("a" * 152 + "€" * 5, 2, 143),
        ("云" * 66 + "😀" * 3, 2, 61),
    ],
)
def test_segments_are_counted_as_they_are_charged(text: str, segments: int, left: int) -> None:
    assert (count(text).segments, count(text).left) == (segments, left)
    assert len(pdu.encode_submit("10086", text)) == segments


@pytest.mark.parametrize("number", ["", "+", "138 0013 8000", "13800138000x", "1" * 21, "+86\r\nAT", "１３８"])
def test_a_number_that_cannot_be_dialled_is_refused_and_not_repeated(number: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        pdu.encode_submit(number, "x")
    assert refusal.value.code == "bad_number"
    assert not number or number not in str(refusal.value) or number == "+"


def test_a_text_of_256_parts_or_with_half_a_character_is_refused() -> None:
    assert len(pdu.encode_submit("10086", "云" * (255 * 67))) == 255
    with pytest.raises(BadMessage, match="256 parts"):
        pdu.encode_submit("10086", "云" * (255 * 67 + 1))
    with pytest.raises(BadMessage, match="half of a character"):
        pdu.encode_submit("10086", "a\ud83d")


@pytest.mark.parametrize(
    ("validity", "octet"),
    [
        (timedelta(0), 0),
        (timedelta(minutes=5), 0),
        (timedelta(minutes=6), 1),
        (timedelta(hours=12), 143),
        (timedelta(hours=12, minutes=1), 144),
        (timedelta(hours=24), 167),
        (timedelta(hours=24, minutes=1), 168),
        (timedelta(days=30), 196),
        (timedelta(days=31), 197),
        (timedelta(weeks=63), 255),
        (timedelta(weeks=99), 255),
    ],
)
def test_validity_rounds_up_to_what_the_octet_can_say(validity: timedelta, octet: int) -> None:
    assert pdu.encode_validity(validity) == octet


def test_a_submit_carries_validity_and_the_wish_for_a_report() -> None:
    (part,) = pdu.encode_submit("10086", "x", validity=timedelta(days=1), want_report=True)
    read = pdu_peer.read_submit(part.pdu)
    assert (read.validity, read.report_wanted) == (timedelta(days=1), True)
    (part,) = pdu.encode_submit("10086", "x", want_report=False)
    read = pdu_peer.read_submit(part.pdu)
    assert (read.validity, read.report_wanted) == (None, False)


# --- in ---


def test_recorded_deliver_in_gsm7() -> None:
    """The example of the 3GPP literature: "How are you?"."""
    message = pdu.decode("07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07")
    assert message == pdu.Deliver(
        "+31641600986", datetime(2002, 8, 26, 19, 37, 41, tzinfo=UTC), Alphabet.GSM7, b"How are you?"
    )


def test_recorded_deliver_from_an_alphanumeric_sender() -> None:
    message = pdu.decode("00040BD0CDE6DB5DCE0300006210225141058A024F3B")
    assert isinstance(message, pdu.Deliver)
    assert (message.sender, message.text) == ("MMoney", "Ov")
    assert message.sent_at == datetime(2026, 1, 22, 22, 14, 50, tzinfo=UTC), "15:14:50 at seven hours west"


def test_a_nonsense_time_of_the_centre_is_no_time() -> None:
    message = pdu.decode("00040B911346610089F60000" + "00000000000000" + "0141")
    assert isinstance(message, pdu.Deliver)
    assert (message.sent_at, message.text) == (None, "A")


@pytest.mark.parametrize(("coding", "alphabet_expected"), [
    ("00", Alphabet.GSM7), ("10", Alphabet.GSM7), ("04", Alphabet.BINARY), ("08", Alphabet.UCS2), ("18", Alphabet.UCS2),
    ("C0", Alphabet.GSM7), ("E0", Alphabet.UCS2), ("F0", Alphabet.GSM7), ("F4", Alphabet.BINARY), ("0C", Alphabet.GSM7),
])  # fmt: skip
def test_the_data_coding_scheme_names_the_alphabet(coding: str, alphabet_expected: Alphabet) -> None:
    message = pdu.decode(f"00040B911346610089F600{coding}62112371039023020041")
    assert isinstance(message, pdu.Deliver)
    assert message.alphabet is alphabet_expected


def test_binary_content_shows_as_hexadecimal() -> None:
    message = pdu.decode("00040B911346610089F600046211237103902302BEEF")
    assert isinstance(message, pdu.Deliver)
    assert message.text == "beef"


@given(text=VALID_TEXT.filter(lambda text: len(text.encode("utf-16-be")) <= 130), wide=st.booleans())
def test_any_text_is_read(text: str, wide: bool) -> None:
    message = pdu.decode(pdu_peer.deliver("+8613900000000", text, concat=(77, 3, 2), wide=wide))
    assert isinstance(message, pdu.Deliver)
    assert (message.text, message.sender, message.sent_at) == (text, "+8613900000000", pdu_peer.WHEN)
    assert message.concat == Concat(77, 3, 2, 16 if wide else 8)


@pytest.mark.skipif(gammu is None, reason="no python-gammu: pip install python-gammu")
@pytest.mark.parametrize("text", ["hello €[]", "Grüße", "a" * 160, "云流 ok"])
def test_what_gammu_writes_as_received_is_read(text: str) -> None:
    message = gammu.DecodePDU(bytes.fromhex(pdu_peer.deliver("+8613900000000", "x")))
    coding = "Default_No_Compression" if alphabet.is_gsm7(text) else "Unicode_No_Compression"
    read = pdu.decode(gammu.EncodePDU(message | {"Text": text, "Coding": coding}, "Deliver").hex())
    assert isinstance(read, pdu.Deliver)
    assert (read.text, read.sender) == (text, "+8613900000000")


@pytest.mark.parametrize("place", [(0, 3, 0), (5, 3, 4), (5, 0, 1), (5, 1, 1)])
def test_a_part_with_an_impossible_place_stands_alone(place: tuple[int, int, int]) -> None:
    message = pdu.decode(pdu_peer.deliver("10086", "x", concat=place))
    assert isinstance(message, pdu.Deliver)
    assert message.concat is None


@given(septets=st.binary(max_size=160).map(lambda raw: bytes(byte & 0x7F for byte in raw)), fill=st.integers(0, 6))
def test_septets_pack_and_unpack(septets: bytes, fill: int) -> None:
    assert alphabet.unpack(alphabet.pack(septets, fill), len(septets), fill) == septets


@given(text=GSM_TEXT)
def test_the_gsm_alphabet_round_trips(text: str) -> None:
    assert alphabet.from_septets(alphabet.to_septets(text)) == text


def test_unknown_and_cut_escapes_show_something() -> None:
    assert alphabet.from_septets(b"\x1bA") == "A"
    assert alphabet.from_septets(b"a\x1b") == "a "
    assert alphabet.from_septets(b"\x1b\x1b") == " "


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x00, DeliveryState.DELIVERED), (0x1F, DeliveryState.DELIVERED), (0x20, DeliveryState.TRYING),
        (0x3F, DeliveryState.TRYING), (0x40, DeliveryState.FAILED), (0x5F, DeliveryState.FAILED),
        (0x60, DeliveryState.GAVE_UP), (0x7F, DeliveryState.GAVE_UP), (0x80, DeliveryState.RESERVED),
    ],
)  # fmt: skip
def test_status_reports(status: int, state: DeliveryState) -> None:
    report = pdu.decode(pdu_peer.status_report(200, "+8613800138000", status=status))
    assert report == StatusReport(200, "+8613800138000", pdu_peer.WHEN, pdu_peer.WHEN, status)
    assert isinstance(report, StatusReport)
    assert report.state is state


@given(junk=st.binary(max_size=60))
def test_junk_is_read_or_refused_and_never_breaks(junk: bytes) -> None:
    try:
        pdu.decode(junk.hex())
    except pdu.BadPdu as refusal:
        assert refusal.code == "bad_pdu"  # noqa: PT017 - either end is right, a crash is not


@pytest.mark.parametrize("junk", ["", "zz", "0", "00", "0001000B9113466100", "0791"])
def test_what_is_no_received_message_is_refused(junk: str) -> None:
    with pytest.raises(pdu.BadPdu):
        pdu.decode(junk)
