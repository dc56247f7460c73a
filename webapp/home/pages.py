"""The workbench at "/": a greeting, then what every room has put there for this person."""

from __future__ import annotations

from babel.dates import format_date
from flask import Flask, render_template
from flask_appbuilder import IndexView, expose

from engine import clock
from engine.db import Sessions
from engine.i18n import Sentence, _, current_locale
from webapp.security import access
from webapp.skin import formats
from webapp.skin.navigation import Entry, navigation
from webapp.skin.workbench import workbench

GREETINGS = ((5, _("Good night")), (11, _("Good morning")), (13, _("Good day")), (18, _("Good afternoon")))


class Workbench(IndexView):
    """FAB asks for the view of "/" when it is built; everything else of FAB's index is gone."""

    @expose("/")
    @access.signed_in
    def index(self) -> str:
        session, actor = Sessions(), access.current_actor()
        bench = workbench()
        figures = [figure for source in bench.figures for figure in source(session, actor)]
        panels = []
        for panel in sorted(bench.panels, key=lambda panel: panel.order):
            content = panel.content(session, actor)
            if content is not None:
                panels.append((panel, content))
        return render_template("workflow/home.html", greeting=greeting(), today=today(), figures=figures, panels=panels)


def today() -> str:
    """The day on the company's clock, in full."""
    return str(format_date(formats.local(clock.now()), "full", locale=current_locale()))


def greeting() -> Sentence:
    """By the company's clock."""
    hour = formats.local(clock.now()).hour
    return next((words for until, words in GREETINGS if hour < until), _("Good evening"))


def add_pages(_app: Flask) -> None:
    navigation().add(Entry("workbench", _("Workbench"), "layout-dashboard", "Workbench.index", order=10, phone="home"))
