"""Start, inbox and instance pages: the same for every process."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from engine import history
from engine.actor import Actor
from engine.i18n import _
from engine.work_items import HAND_OVER
from webapp.skin import banners, watermark, words
from webapp.skin.navigation import Entry, navigation
from webapp.skin.workbench import Panel, workbench
from webapp.workflow import about, delegations, handing_over, inbox, instances, many, printing, start, steering
from webapp.workflow.panels import furnish


def add_pages(app: Flask) -> None:
    """Give the application these pages and their places in the navigation; inside its application context."""
    app.jinja_env.filters.update(words.FILTERS)
    for room in (start, inbox, instances, about, steering, printing, delegations, handing_over, many):
        app.register_blueprint(room.pages)
    watermark.over(about.pages.name)
    furnish(workbench(app))
    workbench(app).add_panel(Panel("workflow/home/_cover.html", delegations.suggestion, order=1, side="side"))
    banners.add_source(app, delegations.banners)
    for entry in (
        Entry("workbench", _("To do"), "inbox", "inbox.index", order=20, count=_waiting, live="inbox", phone="todo"),
        Entry("workbench", _("Start a process"), "send", "start.index", order=30, phone="start"),
        Entry(
            "workbench",
            _("Delegations"),
            "user-share",
            "delegations.index",
            order=40,
            count=delegations.waiting_answers,
        ),
        Entry("process", _("Instances"), "list-details", "instances.index", order=20),
        Entry("process", _("Hand over work"), "user-share", "handing_over.index", HAND_OVER, order=40),
    ):
        navigation().add(entry)


def _waiting(session: Session, actor: Actor) -> int:
    return history.counts(session, actor)["open"]
