"""What a mail looks like on the wire, and what never gets into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, strategies as st

from connectors.mail import marks
from connectors.mail.message import build, message_id, recipients, to_bytes
from connectors.mail.simulator import SimulatedMailRoad
from connectors.mail.transport import Attachment, OutMail
from connectors.outcome import BadMessage, Outcome, Verdict

SENDER = "云流 <bpm@example.cn>"
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def mail(**more: object) -> OutMail:
    return OutMail(**({"id": "7", "to": ("li@example.cn",), "subject": "s", "text": "t", "at": AT} | more))


def sent_and_read(m: OutMail) -> EmailMessage:
    return message_from_bytes(to_bytes(build(m, SENDER)), _class=EmailMessage, policy=policy.SMTP)


# What a person may type into a subject or a name; runs of spaces are folded by every mail program.
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs", "Cn"]), min_size=1, max_size=120)


@given(subject=LINE)
def test_any_subject_arrives(subject: str) -> None:
    assert sent_and_read(mail(subject=subject))["Subject"] == subject


@given(
    name=st.text(st.sampled_from("李丽王云流𠮷😀abc,.;:'()@-_ 1é"), min_size=1, max_size=60).map(str.strip).filter(bool)
)
def test_any_name_arrives(name: str) -> None:
    quoted = name.replace("\\", "").replace('"', "")
    read = sent_and_read(mail(to=(f'"{quoted}" <li@example.cn>',)))
    (address,) = read["To"].addresses
    assert address.addr_spec == "li@example.cn"
    assert "".join(address.display_name.split()) == "".join(quoted.split())


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=3000))
def test_any_text_arrives_in_lines_every_relay_takes(text: str) -> None:
    raw = to_bytes(build(mail(text=text), SENDER))
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    body = message_from_bytes(raw, _class=EmailMessage, policy=policy.SMTP).get_body()
    assert body is not None
    assert body.get_content().rstrip("\r\n") == text


def test_headers_that_programs_look_at() -> None:
    read = sent_and_read(
        mail(
            reply_to="采购 <buy@example.cn>",
            in_reply_to="<a@b>",
            references=("<a@b>", "<c@d>"),
            cc=("x@y.cn", "z@y.cn"),
        )
    )
    assert read["Date"] == "Mon, 23 Nov 2026 09:30:00 +0000"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Reply-To"].addresses[0].addr_spec == "buy@example.cn"
    assert (read["In-Reply-To"], read["References"]) == ("<a@b>", "<a@b> <c@d>")
    assert [address.addr_spec for address in read["Cc"].addresses] == ["x@y.cn", "z@y.cn"]


def test_the_message_id_is_the_same_at_every_attempt_and_tells_nothing() -> None:
    key = "mail:reminder:13800138000"
    first, again = (build(mail(id=key, subject=subject), SENDER)["Message-ID"] for subject in ("a", "b"))
    assert first == again == message_id(key, "example.cn") != message_id("other", "example.cn")
    assert "13800138000" not in first


def test_an_answer_names_what_it_answers_and_the_thread_before_it() -> None:
    read = sent_and_read(mail(in_reply_to="<3@b>", references=("<1@b>", "<2@b>")))
    assert (read["In-Reply-To"], read["References"]) == ("<3@b>", "<1@b> <2@b> <3@b>")
    long = sent_and_read(mail(in_reply_to="<last@b>", references=tuple(f"<{n}@b>" for n in range(60))))
    references = str(long["References"]).split()
    assert len(references) == 20
    assert (references[0], references[-1]) == ("<0@b>", "<last@b>")


def test_the_mark_stands_in_message_id_and_on_wish_in_the_subject_once() -> None:
    read = sent_and_read(mail(id="k", number=12, tagged=True, subject="报价单"))
    assert marks.find(read["Message-ID"]) == marks.Mark(12, marks.hashed("k"))
    assert read["Subject"] == f"报价单 {marks.for_subject('k', 12)}"
    again = mail(id="k", number=12, tagged=True, subject=f"Re: {read['Subject']}")
    assert sent_and_read(again)["Subject"] == f"Re: {read['Subject']}"
    assert sent_and_read(mail(id="k", number=12))["Subject"] == "s"


def test_an_invitation_is_another_way_of_saying_the_same() -> None:
    calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:评审会\r\nEND:VCALENDAR\r\n"
    read = sent_and_read(mail(html="<p>t</p>", calendar=calendar, attachments=(Attachment("a.pdf", b"x"),)))
    alternative, _file = read.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    part = list(alternative.iter_parts())[-1]
    assert (part.get_param("method"), part.get_content_charset()) == ("REQUEST", "utf-8")
    assert "SUMMARY:评审会" in part.get_content()
    with pytest.raises(BadMessage):
        build(mail(calendar="BEGIN:VCALENDAR"), SENDER)


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\0", "\x0b", "\u2028", "\x85"])
@pytest.mark.parametrize(
    "place", ["subject", "to", "cc", "bcc", "sender", "reply_to", "in_reply_to", "references", "filename", "media_type"]
)
def test_nothing_is_smuggled_into_headers(place: str, line_end: str) -> None:
    evil = f"x{line_end}Bcc: everybody@example.cn"
    values: dict[str, object] = {
        "subject": evil,
        "in_reply_to": f"<a@b{line_end}>",
        "references": (f"<a@b>{line_end}<c@d>",),
        "filename": (Attachment(evil, b""),),
        "media_type": (Attachment("a", b"", f"text/{evil}"),),
        "sender": f"{evil} <a@b.cn>",
        "reply_to": f"{evil} <a@b.cn>",
        **dict.fromkeys(("to", "cc", "bcc"), (f"{evil} <a@b.cn>",)),
    }
    field = "attachments" if place in ("filename", "media_type") else place
    m = mail(**{field: values[place]})
    road = SimulatedMailRoad(SENDER)
    outcome = road.send(m).outcome
    assert outcome.verdict is Verdict.REJECTED
    assert outcome.code in ("bad_header", "bad_address", "bad_attachment")
    assert "everybody" not in outcome.text
    assert road.sent == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "li",
        "li@",
        "@example.cn",
        "li@@example.cn",
        "a b@example.cn",
        "李@example.cn",
        "li@example..cn",
        "li@-x",
        "li@example.cn, wang@example.cn",
        "<li@example.cn",
        "a <li@example.cn> b",
        "<a@x.cn> <b@x.cn>",
        '"a" b <a@x.cn>',
    ],
)
def test_an_address_that_cannot_be_mailed_is_refused(address: str) -> None:
    with pytest.raises(BadMessage):
        recipients(mail(to=(address,)))


@pytest.mark.parametrize("field", ["subject", "text", "html"])
def test_half_a_character_is_refused(field: str) -> None:
    with pytest.raises(BadMessage, match="half of a character"):
        build(mail(**{field: "a\ud83d"}), SENDER)


def test_recipients_are_named_once_and_without_the_settled() -> None:
    m = mail(to=("A <a@x.cn>", "b@x.cn"), cc=("a@x.cn",), bcc=("c@x.cn",), settled=frozenset({"b@x.cn"}))
    assert recipients(m) == ("a@x.cn", "c@x.cn")
    with pytest.raises(BadMessage, match="no recipient"):
        recipients(mail(to=()))


def test_the_simulator_keeps_what_left_and_refuses_like_the_wire() -> None:
    road = SimulatedMailRoad(SENDER)
    result = road.send(mail(subject="已通过"))
    assert result.outcome.is_accepted
    assert [message["Subject"] for message in road.sent] == ["已通过"]
    assert road.sent[0]["Message-ID"] == result.message_id
    assert road.send(mail(subject="a\nb")).outcome.verdict is Verdict.REJECTED
    busy = SimulatedMailRoad(SENDER, script=lambda _m: Outcome.deferred(timedelta(minutes=1), "smtp_450"))
    assert busy.send(mail()).recipients["li@example.cn"].verdict is Verdict.DEFERRED
    assert busy.sent == []
