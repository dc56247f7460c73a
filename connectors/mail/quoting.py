"""What of an answer is new, and how one is written: mail programs put the whole conversation below it."""

from __future__ import annotations

import re

_BEGINNINGS = re.compile(
    r"""^[ \t]*(?:
        -{2,}[ \t]*(?:原始邮件|原邮件|回复的原邮件|转发邮件|Original[ ]Message|Forwarded[ ]message)[ \t]*-{2,}
      | (?:>[ \t]*)?(?:发件人|寄件者)[ \t]*[:：].*\n[ \t]*
        (?:>[ \t]*)?(?:发送时间|发送日期|日期|时间|收件人|寄件日期|抄送)[ \t]*[:：]
      | From:[ ].*\n[ \t]*(?:Sent|Date|To):[ ]
      | (?:在|于|At)[ \t]?\d{4}[-年/.].{0,200}?(?:写道|wrote)[ \t]*[:：]?
      | On[ ].{5,200}?wrote:
      | .{0,100}\d{4}[-年/.]\d{1,2}.{0,120}?写道[ \t]*[:：]
      | _{10,}[ \t]*$\n[ \t]*(?:From|发件人)
    )""",
    re.MULTILINE | re.VERBOSE,
)
_ANSWERS = re.compile(r"^(?:re|aw|回复|答复|回覆|答覆)(?:[ ]?\[\d+\])?[ \t]*[:：]", re.IGNORECASE)
"""How the subject of an answer begins, whatever mail program wrote it."""
_QUOTED = re.compile(r"(?:^[ \t]*>.*(?:\n|\Z))+", re.MULTILINE)


def new_words(text: str) -> str:
    """The text above the conversation it answers; the whole text when nothing else would be left.

    Lines marked with ">" are left out; answers written between them stay.
    """
    begins = _BEGINNINGS.search(text)
    above = _QUOTED.sub("", text[: begins.start()] if begins else text).strip()
    return above or text.strip()


def quoted(text: str, longest: int = 20_000) -> str:
    """The text as the conversation below an answer: each line marked with ">"."""
    lines = text.strip()[:longest].splitlines()
    return "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines)


def answer_subject(subject: str) -> str:
    """It begins with "Re:" once, however long the conversation is."""
    return subject if _ANSWERS.match(subject) else f"Re: {subject}".strip()
