"""Contact records and appointments as lists: with views, filters and columns, a drawer beside the rows."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask_appbuilder import AppBuilder, expose
from werkzeug.wrappers import Response as BaseResponse

from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.activity import operations
from processes.activity.manifest import APPOINTMENTS, RECORDS
from processes.activity.permissions import WRITE
from webapp.crm.follow.places import customer_page
from webapp.registers.build import add_register, view_of
from webapp.registers.nothing_yet import WAYS, Way
from webapp.registers.views import RegisterView, guard
from webapp.security.access import current_actor


def _by_writing() -> tuple[Way, ...]:
    """Records, and appointments with them, come from whoever speaks to customers."""
    if not current_actor().may(WRITE):
        return ()
    return (
        (url_for("follow.index"), "phone", _("To the call list")),
        (url_for("follow.new"), "writing", _("Write a contact record")),
    )


WAYS[RECORDS.name] = WAYS[APPOINTMENTS.name] = _by_writing


class RecordsView(RegisterView):
    """A record's own page is the one with its versions and readers."""

    register = RECORDS
    list_template = "crm/follow/list.html"

    def name_of(self, record: Any) -> str:
        return str(record.customer.name)

    @expose("/show/<pk>")
    @guard("open")
    def show(self, pk: str) -> BaseResponse:
        return redirect(url_for("follow.show", record_id=self._record(pk).id))

    @expose("/card/<pk>")
    @guard("open")
    def card(self, pk: str) -> str:
        """The record beside the list."""
        record = self._record(pk)
        return self._render("crm/follow/_record_card.html", record=record, pk=record.id)


class AppointmentsView(RegisterView):
    register = APPOINTMENTS
    list_template = "crm/follow/list.html"

    def links_of_list(self) -> tuple[tuple[str, str, Sentence], ...]:
        if not current_actor().may(WRITE):
            return ()
        return ((url_for("follow.calendar"), "calendar", _("Calendar")),)

    def links_of(self, record: Any) -> tuple[tuple[str, str, Sentence], ...]:
        return ((customer_page(record.customer_id), "building", _("Open the customer")),)

    @expose("/card/<pk>")
    @guard("open")
    def card(self, pk: str) -> str:
        """The appointment beside the list, with the days it was put off from."""
        record = self._record(pk)
        return self._render(
            "crm/follow/_appointment_card.html",
            record=record,
            pk=record.id,
            cells=self._record_cells(record),
            moves=operations.moves(Sessions(), record.id),
        )


def add_views(appbuilder: AppBuilder) -> None:
    add_register(appbuilder, view_of(RECORDS, RecordsView))
    add_register(appbuilder, view_of(APPOINTMENTS, AppointmentsView))
