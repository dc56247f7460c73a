"""What the processes put on the workbench."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import func, literal, select, true
from sqlalchemy.orm import Session

from engine import clock, history
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.history import COUNT_CAP
from engine.i18n import _
from engine.models import InboxEntry, Instance, WorkItem
from engine.work_items.rights import ADMINISTER, MONITOR, readable_among
from webapp.skin import words
from webapp.skin.workbench import Figure, Panel, Workbench
from webapp.workflow import holders, instance_list, lists, processes, start
from webapp.workflow.lists import Wanted

TODAY_LINES = 7
RUNNING_LINES = 6
TEAM_LINES = 6


def furnish(bench: Workbench) -> None:
    bench.add_figures(figures)
    bench.add_panel(Panel("workflow/home/_today.html", today, order=10))
    bench.add_panel(Panel("workflow/home/_running.html", running, order=20))
    bench.add_panel(Panel("workflow/home/_quick.html", quick_starts, order=10, side="side"))
    bench.add_panel(Panel("workflow/home/_team.html", team_overdue, order=5, side="side"))
    bench.add_panel(Panel("workflow/home/_drafts.html", unsent, order=30, side="side"))


def figures(session: Session, actor: Actor) -> list[Figure]:
    waiting = history.counts(session, actor)
    late = overdue(session, actor)
    mine = _capped(
        session, select(literal(1)).where(Instance.starter_id == actor.person_id, Instance.state == "running")
    )
    return [
        Figure(
            _("Waiting for me"),
            waiting["open"],
            "inbox",
            url_for("inbox.index"),
            note=_("{count} overdue", count=late) if late else None,
            note_tone="red",
            live="inbox",
        ),
        Figure(_("Overdue"), late, "clock", url_for("inbox.index", overdue=1), tone="red" if late else "grey"),
        Figure(_("My requests under way"), mine, "send", url_for("inbox.listing", view="started"), tone="green"),
        Figure(_("Copies unread"), waiting["cc"], "copy", url_for("inbox.listing", view="cc"), tone="amber"),
    ]


def overdue(session: Session, actor: Actor) -> int:
    """Items that lie with this person past their time."""
    late = (
        select(WorkItem.id)
        .join(InboxEntry, InboxEntry.item_id == WorkItem.id)
        .where(InboxEntry.principal.in_(actor.principals), WorkItem.due_at <= clock.now())
        .distinct()
    )
    return _capped(session, late)


def _capped(session: Session, query: Any) -> int:
    return session.scalar(select(func.count()).select_from(query.limit(COUNT_CAP).subquery())) or 0


def today(session: Session, actor: Actor) -> dict[str, Any]:
    found = lists.inbox(session, actor, "open", Wanted(), size=TODAY_LINES)
    return {"entries": found.entries, "has_more": found.has_more}


def running(session: Session, actor: Actor) -> dict[str, Any]:
    """One's own latest requests and where they are."""
    wanted = instance_list.Wanted(mine=True)
    found = instance_list.page(session, actor, Instance.starter_id == actor.person_id, wanted, size=RUNNING_LINES)
    return {"entries": found.entries, "has_more": found.has_more}


def quick_starts(session: Session, actor: Actor) -> dict[str, Any]:
    found = processes.startable(session, actor)
    return {"often": processes.often_started(session, actor, found), "more": len(found) > 4}


def unsent(session: Session, actor: Actor) -> dict[str, Any] | None:
    found = start.drafts(session, actor, size=4)
    return {"drafts": found} if found else None


def team_overdue(session: Session, actor: Actor) -> dict[str, Any] | None:
    """What lies too long: with one's own people, or, for those who watch over processes, with anybody."""
    watches = actor.may(MONITOR) or actor.may(ADMINISTER)
    reports = CATALOG.directory.reports(session, actor.person_id) if CATALOG.directory is not None else ()
    if not watches and not reports:
        return None
    late = (
        select(WorkItem, Instance)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(WorkItem.state == "open", WorkItem.due_at <= clock.now())
        .where(true() if watches else WorkItem.assignee_id.in_(reports))
        .order_by(WorkItem.due_at)
        .limit(TEAM_LINES)
    )
    rows = session.execute(late).all()
    lie_with = holders.names(session, (item for item, _instance in rows))
    readable = readable_among(session, actor, [instance.id for _item, instance in rows])
    return {
        "lines": [
            {
                "url": url_for("instances.show", instance_id=instance.id) if instance.id in readable else "",
                "name": lists.name_of(instance.title),
                "step": item.title,
                "who": holders.in_short(lie_with[item.id]),
                "due": words.due(item.due_at, item.created_at),
            }
            for item, instance in rows
        ]
    }
