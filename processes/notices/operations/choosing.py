"""By which roads a person is told of what."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import InvalidForm, Problem
from engine.i18n import _, listed
from processes.notices import rules
from processes.notices.models import NoticePreference


def preferences(session: Session, actor: Actor) -> dict[str, frozenset[str]]:
    """Every kind there is -> the roads it takes to the actor, in the order of their declaration."""
    chosen = {
        row.kind: row.channels
        for row in session.scalars(select(NoticePreference).where(NoticePreference.person_id == actor.person_id))
    }
    return {name: rules.roads(kind, chosen.get(name)) for name, kind in rules.KINDS.items()}


def set_preferences(session: Session, actor: Actor, *, channels: Mapping[str, Collection[str]]) -> None:
    """Choose the roads of the named kinds; the others stay. The roads of a mandatory kind cannot be given up."""
    problems = []
    for name, wanted in channels.items():
        kind = rules.KINDS.get(name)
        if kind is None:
            problems.append(Problem(name, _("There is no such kind of notice.")))
        elif not set(wanted) <= set(rules.CHANNELS):
            problems.append(Problem(name, _("Please choose one of the offered values.")))
        elif not kind.fixed <= set(wanted):
            kept = listed(str(rules.CHANNEL_TITLES[one]) for one in rules.CHANNELS if one in kind.fixed)
            problems.append(
                Problem(name, _("Everybody is told of this: {channels} cannot be switched off.", channels=kept))
            )
    if problems:
        raise InvalidForm(problems)
    rows = [
        {
            "person_id": actor.person_id,
            "kind": name,
            "channels": [one for one in rules.CHANNELS if one in wanted],
        }
        for name, wanted in sorted(channels.items())
    ]
    if rows:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        statement = insert(NoticePreference).values(rows)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["person_id", "kind"], set_={"channels": statement.excluded.channels}
            )
        )
        session.expire_all()
