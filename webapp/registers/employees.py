"""What the register of employees does beyond others: the way to hand over what lies with somebody."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask_appbuilder import AppBuilder
from werkzeug.wrappers import Response as BaseResponse

from engine import work_items
from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.organization.manifest import EMPLOYEES
from processes.organization.permissions import MANAGE_EMPLOYEES
from processes.tasks.operations import to_hand_over
from webapp.registers import importing
from webapp.registers.build import add_register, view_of
from webapp.registers.views import RegisterView
from webapp.security.access import current_actor


class EmployeesView(RegisterView):
    register = EMPLOYEES

    def links_of(self, record: Any) -> tuple[tuple[str, str, Sentence], ...]:
        if not work_items.may_hand_over(current_actor()):
            return ()
        return ((_hand_over(record.id), "user-share", _("Hand over work")),)

    def links_of_list(self) -> tuple[tuple[str, str, Sentence], ...]:
        if not current_actor().may(MANAGE_EMPLOYEES):
            return ()
        return ((url_for("importing.employees"), "file-import", _("Import")),)

    def after_archive(self, key: int) -> BaseResponse:
        """Who has left leaves work behind: personnel go straight on to it."""
        session, actor = Sessions(), current_actor()
        if work_items.may_hand_over(actor) and (
            work_items.estate(session, actor, key).count or to_hand_over(session, actor, key)
        ):
            return redirect(_hand_over(key))
        return super().after_archive(key)


def _hand_over(person: int) -> str:
    return url_for("handing_over.index", person=person)


def add_views(appbuilder: AppBuilder) -> None:
    add_register(appbuilder, view_of(EMPLOYEES, EmployeesView))
    appbuilder.app.register_blueprint(importing.pages)
