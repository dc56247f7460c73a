"""The telephone on every page: the agent's bar, calls that pop up, the list of calls, numbers that dial."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.telephony.permissions import CALL, SCORE, TEAM
from webapp.skin import callers, watermark
from webapp.skin.navigation import Entry, navigation
from webapp.telephony import board, calls, desk, figures, quality


def add_pages(app: Flask) -> None:
    for room in (board, calls, desk, figures, quality):
        app.register_blueprint(room.pages)
        watermark.over(room.pages.name)
    app.context_processor(desk.context)
    callers.rings_behind(CALL, calls.caller)
    app.jinja_env.filters.update(calls.FILTERS, clock_time=figures.clock_time)
    for entry in (
        Entry("workbench", _("Phone calls"), "phone", "calls.index", order=38),
        Entry("workbench", _("Live calls and agents"), "device-desktop", "board.index", TEAM, order=39),
        Entry("reports", _("Call statistics"), "phone-call", "call_figures.index", TEAM, order=50),
        Entry("reports", _("Call quality"), "star", "call_quality.index", SCORE, order=51),
    ):
        navigation().add(entry)
