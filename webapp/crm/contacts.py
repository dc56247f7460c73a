"""The register of contacts, and their form in a drawer on the customer's page."""

from __future__ import annotations

from flask import make_response, request
from flask_appbuilder import expose
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import db
from engine.db import Sessions
from engine.errors import Forbidden, NotFound
from engine.i18n import Sentence, _
from processes.party import operations, permissions
from processes.party.manifest import CONTACTS
from processes.party.models import Contact, Customer
from webapp.crm import from_call, parts
from webapp.crm.in_place import InPlaceView
from webapp.registers import opened
from webapp.registers.fields import Form
from webapp.registers.interface import find_visible, read_key
from webapp.registers.opened import Opened
from webapp.registers.views import guard
from webapp.security.access import current_actor
from webapp.security.viewing import viewer

SAVED = "yl:saved"
"""Told to the page by a drawer that has done its work; the page closes it and asks again for what it shows."""


SHOWN = (
    *("name", "employer", "title", "role", "is_main", "phone", "email", "wechat", "birthday"),
    *("state", "last_contact_at", "next_contact_on"),
)


class ContactsView(InPlaceView):
    register = CONTACTS
    list_template = "crm/list.html"
    show_template = "crm/contact.html"

    def created(self, session: Session, record: Contact) -> Contact:
        from_call.tie(session, permissions.CONTACT, record.id)
        return record

    def may_change(self, record: Contact) -> bool:
        """As the operation asks: where the customer is one's own to work on, else what one has entered oneself."""
        session, actor = Sessions(), current_actor()
        if viewer() is not None or not self.may("manage") or record.state != "active":
            return False
        customer = session.scalar(select(Customer.id).where(Customer.id == _of(record)))
        if customer is not None:
            return permissions.may_work(session, actor, customer, "contacts")
        return record.created_by == actor.person_id or actor.may(permissions.MANAGE_ANY)

    def why_no_longer(self, record: Contact | None, known: Opened) -> tuple[Sentence, Sentence]:
        if record is not None and record.state != "active":
            return _("{name} no longer works there.", name=known.name), _("Change whoever has taken the place.")
        return parts.no_longer_yours(known.name, is_seen=record is not None)

    def why_not(self, record: Contact) -> tuple[Sentence, Sentence]:
        if record.state != "active":
            return self.why_no_longer(record, Opened(record.name))
        return permissions.not_yours(record.name)

    @expose("/show/<pk>")
    @guard("open")
    def show(self, pk: str) -> str:
        return self._shown(pk, self.show_template)

    @expose("/card/<pk>")
    @guard("open")
    def card(self, pk: str) -> str:
        """The contact beside the list."""
        return self._shown(pk, "crm/_contact_card.html")

    def _shown(self, pk: str, template: str) -> str:
        record = self._record(pk)
        return self._render(
            template,
            title=record.name,
            record=record,
            pk=record.id,
            customer=find_visible(Sessions(), current_actor(), Customer, _of(record)),
            cells=[self.cell(record, self.column(name)) for name in SHOWN],
            fields=[one.name for one in self.register.fields if one.name != "employer" or not record.organization_id],
            may_change=self.may_change(record),
        )

    @expose("/drawer/<customer>/add", methods=["GET", "POST"])
    @guard("manage")
    def add_in_drawer(self, customer: str) -> str | BaseResponse:
        """A new contact of a customer, without leaving its page."""
        session, actor, key = Sessions(), current_actor(), read_key(customer) or 0
        known = opened.unseal(actor, permissions.CUSTOMER, key, opened.brought())
        at = find_visible(session, actor, Customer, key)
        if at is None and known is None:
            raise opened.not_here()
        name = at.name if at is not None else known.name if known is not None else ""
        is_gone = known is not None and not permissions.may_work(session, actor, key, "contacts")
        form, url = Form(self.register, is_new=True), self.url("add_in_drawer", customer=key)
        form.fields = [one for one in form.fields if one.name != "employer"]
        if request.method == "GET":
            if is_gone:
                message, remedy = parts.why_gone(session, actor, key, name)
                raise (NotFound if at is None else Forbidden)(message, remedy=remedy)
            form.prefill(session, actor, {})
            form.opened = opened.seal(actor, permissions.CUSTOMER, key, name)
            return self._drawer(form, url, name)
        form.opened, values = opened.brought(), {**form.read(session, actor, request.form), "customer": key}
        if is_gone:
            form.say_only(*parts.why_gone(session, actor, key, name))
        elif not form.refused and self._write(form, lambda s: operations.create_contact(s, actor, values=values)):
            return _saved()
        return make_response(self._drawer(form, url, name), 422)

    @expose("/drawer/<pk>/edit", methods=["GET", "POST"])
    @guard("manage")
    def edit_in_drawer(self, pk: str) -> str | BaseResponse:
        actor, url, version = current_actor(), self.url("edit_in_drawer", pk=pk), request.form.get("version", "")
        if request.method == "GET":
            record = self.changeable(pk)
            form = self._form_there(record)
            self.fill(form, record)
            return self._drawer(form, url, record.name, str(record.version))

        def save(record: Contact) -> BaseResponse:
            key, form = record.id, self._form_there(record)
            changed = self._write_typed(
                form,
                lambda s, typed, seen: operations.change_contact(s, actor, record_id=key, version=seen, values=typed),
                key,
            )
            if changed is not None:
                return _saved()
            return make_response(self._drawer(form, url, str(self._record(pk)), version), 422)

        return self.save_or_say(pk, save, lambda form, known: self._drawer(form, url, known.name, version))

    def _form_there(self, record: Contact) -> Form:
        """Without the employer, where he is the one whose page it is."""
        form = self.form_of(record)
        if record.organization_id is not None:
            form.fields = [one for one in form.fields if one.name != "employer"]
        return form

    @expose("/left/<pk>", methods=["POST"])
    @guard("manage")
    def left(self, pk: str) -> BaseResponse:
        """Works there no longer; the answer of a button in the table."""
        actor, record = current_actor(), self._record(pk)
        key = record.id
        with db.transaction() as session:
            operations.mark_left(session, actor, record_id=key)
        return _saved()

    def _drawer(self, form: Form, url: str, name: str, version: str = "") -> str:
        return self._render("crm/_contact_form.html", form=form, url=url, name=name, version=version)


def _of(contact: Contact) -> int:
    return contact.organization_id or contact.person_id


def _saved() -> BaseResponse:
    answer = make_response("", 204)
    answer.headers["HX-Trigger"] = SAVED
    return answer
