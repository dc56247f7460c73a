"""How alike two parties are, on what grounds, and what follows from it (查重)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.party.rules import name_core, name_key, sound

VERDICTS = ("allow", "warn", "block")
"""allow: shown, nothing is asked | warn: a reason is asked | block: refused; in order of severity"""

GROUNDS: Mapping[str, Sentence] = {
    "credit_code": _("same credit code"),
    "name": _("same name"),
    "core": _("same name but for region and company form"),
    "phone": _("same phone"),
    "mail": _("same mail address"),
    "sound": _("sounds the same"),
    "fuzzy": _("nearly the same name"),
    "employer": _("named as employer of a contact"),
}
_SCORES: Mapping[str, int] = {
    "credit_code": 100,
    "name": 99,
    "core": 95,
    "phone": 92,
    "mail": 90,
    "sound": 88,
    "employer": 80,
}
USUAL: Mapping[str, str] = {
    "credit_code": "block",
    "name": "block",
    "core": "warn",
    "phone": "warn",
    "mail": "warn",
    "sound": "warn",
    "fuzzy": "allow",
    "employer": "allow",
}
"""What a house that says nothing else does about organisations."""

NEARLY = 82
"""From here on two names are nearly the same, of 100."""
_LONG_ENOUGH_TO_SOUND = 3
_MOBILE = ("+861", 14)
_FIGURES = str.maketrans("一二三四五六七八九十", "1234567890")


@dataclass(frozen=True)
class Facts:
    """What of a party is compared."""

    kind: str
    name: str = ""
    credit_code: str = ""
    phones: frozenset[str] = frozenset()
    mails: frozenset[str] = frozenset()
    key: str = field(init=False)
    core: str = field(init=False)
    sound: str = field(init=False)

    def __post_init__(self) -> None:
        key = name_key(self.name)
        core = name_core(self.name) if self.kind == "organization" else key
        for name, value in (("key", key), ("core", core), ("sound", sound(core))):
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Finding:
    """Why two parties may be one."""

    grounds: tuple[str, ...]
    score: int
    verdict: str


def house_rules(text: str) -> dict[str, str]:
    """The house's own verdicts over the usual ones, as a setting says them: "core:block fuzzy:warn".

    A credit code and an organisation's name are unique whatever is said here: the database sees to it.
    """
    verdicts = dict(USUAL)
    for part in text.replace(",", " ").split():
        ground, _colon, verdict = part.partition(":")
        if ground not in USUAL or verdict not in VERDICTS:
            raise ValueError(f"{part!r} is not one of {', '.join(USUAL)} with allow, warn or block")
        if ground in {"credit_code", "name"} and verdict != "block":
            raise ValueError(f"{ground} always blocks")
        verdicts[ground] = verdict
    return verdicts


def compare(asked: Facts, known: Facts, verdicts: Mapping[str, str] = USUAL) -> Finding | None:
    """None when nothing is alike."""
    if asked.kind != known.kind:
        return _of(_reached(asked, known), verdicts, persons=True)
    grounds = list(_reached(asked, known))
    if asked.credit_code and asked.credit_code == known.credit_code:
        grounds.insert(0, "credit_code")
    if asked.kind == "person":
        if asked.key and asked.key == known.key:
            grounds.insert(0, "name")
        return _of(tuple(grounds), verdicts, persons=True)
    named, score = _named(asked, known)
    if named:
        grounds.append(named)
    return _of(tuple(sorted(grounds, key=lambda one: -_SCORES.get(one, 0))), verdicts, fuzzy=score)


def _reached(asked: Facts, known: Facts) -> tuple[str, ...]:
    """A switchboard is shared by a whole firm: between a person and another a landline says nothing."""
    phones = asked.phones & known.phones
    if "person" in {asked.kind, known.kind} and asked.key != known.key:
        phones = frozenset(one for one in phones if one.startswith(_MOBILE[0]) and len(one) == _MOBILE[1])
    return tuple(name for name, same in (("phone", phones), ("mail", asked.mails & known.mails)) if same)


def _named(asked: Facts, known: Facts) -> tuple[str, int]:
    if not asked.core or not known.core:
        return "", 0
    if asked.key == known.key:
        return "name", 0
    if asked.core == known.core:
        return "core", 0
    if _figures(asked.core) != _figures(known.core):  # 第一小学 and 第二小学 are two
        return "", 0
    if asked.sound == known.sound and len(asked.core) >= _LONG_ENOUGH_TO_SOUND:
        return "sound", 0
    score = int(max(fuzz.ratio(asked.core, known.core), 0.95 * fuzz.ratio(asked.sound, known.sound)))
    return ("fuzzy", score) if score >= NEARLY else ("", 0)


def _figures(core: str) -> str:
    return "".join(sign for sign in core.translate(_FIGURES) if sign.isdecimal())


def _of(
    grounds: tuple[str, ...], verdicts: Mapping[str, str], *, persons: bool = False, fuzzy: int = 0
) -> Finding | None:
    """People share names: a name alone is shown; with the same phone it is the same person."""
    if not grounds:
        return None
    said = [verdicts[one] for one in grounds]
    if persons and "name" in grounds:
        same = len(grounds) > 1
        said = ["block" if same else "allow"]
    score = max(_SCORES.get(one, fuzzy) for one in grounds)
    if persons and grounds == ("name",):
        score = 60
    return Finding(grounds, score, max(said, key=VERDICTS.index))


def masked_name(name: str) -> str:
    """A private person's name for whom he does not concern: 张**."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def check_reason(text: str) -> str:
    """Why a record is kept although it looks like another."""
    reason = text.strip()
    if not name_key(reason):
        raise RuleViolation(_("Say in a few words why it is another one."))
    return reason
