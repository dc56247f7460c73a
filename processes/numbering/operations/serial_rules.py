"""Numbering rules: made, changed while nothing depends on it, archived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.errors import InvalidForm, RuleViolation
from engine.i18n import DEFAULT_LOCALE, Sentence, _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry, differences
from processes.numbering import permissions, rules
from processes.numbering.models import SerialCounter, SerialNumber, SerialRule

RECORD_TYPE = "numbering.rule"
OFFICIAL = "official_document"

_DEFAULTS: Mapping[str, Any] = {"reset": "yearly", "scope": "none", "mode": "gap_free", "start": 1}
_SERIES = ("code", "reset", "scope", "mode", "start")
"""What makes the series what it is: once a number is out, it cannot become another."""


def _start(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or not 1 <= int(value) <= 10**rules.WIDEST:
        raise RuleViolation(_("Counting starts at a whole number from 1 on."))
    return int(value)


def _read(session: Session, values: Mapping[str, Any], *, record: SerialRule | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record is None)
    entry.code("code", required=True)
    entry.text("name", required=True)
    entry.text("pattern", required=True)
    entry.choice("reset", rules.RESETS)
    entry.choice("scope", rules.SCOPES)
    entry.choice("mode", rules.MODES)
    entry.parsed("start", _start)
    for name, default in _DEFAULTS.items():
        if entry.clean.get(name, default if record is None else "") in ("", None):
            entry.clean[name] = getattr(record, name) if record is not None else default
    entry.untaken("code", SerialRule.code, record.id if record else None, _("This code is already in use."))
    _check_pattern(entry, record)
    clean = entry.finish()
    return clean if record is not None else {**_DEFAULTS, **clean}


def _check_pattern(entry: Entry, record: SerialRule | None) -> None:
    """The pattern together with what it has to fit, each as it will be."""
    so_far = {name: getattr(record, name, _DEFAULTS.get(name)) for name in ("pattern", "reset", "scope")}
    will_be = {name: entry.clean.get(name, value) for name, value in so_far.items()}
    if not isinstance(will_be["pattern"], str):
        return  # said already
    try:
        rules.check_pattern(will_be["pattern"], reset=str(will_be["reset"]), scope=str(will_be["scope"]))
    except RuleViolation as refusal:
        entry.problem("pattern", refusal.message, refusal.remedy)


def create_rule(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> SerialRule:
    """values: code, name, pattern, reset, scope, mode, start; what is not said is yearly, one series, gap-free, 1."""
    permissions.require(actor, permissions.MANAGE_RULES)
    clean = _read(session, values, record=None)
    rule = SerialRule(**clean)
    records.create(session, actor, RECORD_TYPE, rule, clean)
    return rule


def change_rule(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> SerialRule:
    """Rename it or give it another pattern; what makes the series stays once a number is out."""
    permissions.require(actor, permissions.MANAGE_RULES)
    rule = lock_for_change(session, SerialRule, record_id, version)
    clean = _read(session, values, record=rule)
    _before, after = differences(rule, clean)
    if after.keys() & set(_SERIES) and _is_used(session, rule):
        raise RuleViolation(
            _("Numbers of {rule} are out already; only its name and its pattern can change.", rule=rule.name),
            code="rule_in_use",
            remedy=_("Archive it and make another rule."),
        )
    records.change(session, actor, RECORD_TYPE, rule, clean)
    return rule


def archive_rule(session: Session, actor: Actor, *, record_id: int) -> None:
    """It gives no further numbers; those that are out stay."""
    permissions.require(actor, permissions.MANAGE_RULES)
    rule = lock_for_change(session, SerialRule, record_id)
    records.archive(session, actor, RECORD_TYPE, rule)


def _is_used(session: Session, rule: SerialRule) -> bool:
    """A number is out, or was taken by somebody who rolled back."""
    numbers, counters = SerialNumber.rule_id == rule.id, SerialCounter.rule_id == rule.id
    return bool(session.scalar(select(or_(exists().where(numbers), exists().where(counters)))))


def ensure_rule(
    session: Session, *, code: str, name: Sentence, pattern: str, start: Callable[[], int] = lambda: 1, **values: Any
) -> SerialRule:
    """The rule a package of the house numbers its records by, made when it is missing; what people made of it stays.

    start: asked only then, so that a series goes on after numbers from before there were rules.
    """
    known = select(SerialRule).where(SerialRule.code == code)
    found = session.scalar(known)
    if found is not None:
        return found
    values |= {"code": code, "name": name.in_locale(DEFAULT_LOCALE), "pattern": pattern, "start": start()}
    try:
        with session.begin_nested():
            return create_rule(session, SYSTEM, values=values)
    except (IntegrityError, InvalidForm):
        made = session.scalar(known)
        if made is None:
            raise
        return made  # somebody else was faster


def make_official_rule(session: Session) -> SerialRule:
    """The rule for official documents that ships with the house: the form of GB/T 9704-2012."""
    return ensure_rule(session, code=OFFICIAL, name=_("Official documents"), pattern=rules.OFFICIAL)
