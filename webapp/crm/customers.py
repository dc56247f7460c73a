"""The register of customers as people work with it: a list with views, the page of one customer in three zones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import url_for
from flask_appbuilder import AppBuilder, expose
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from engine import clock
from engine.actor import Actor
from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.kernel.working_time import business_date
from processes.party import permissions
from processes.party.manifest import CONTACTS, CUSTOMERS
from processes.party.models import Contact, Customer
from processes.party.rules import ROLES
from webapp.crm import from_call, parts
from webapp.crm.contacts import ContactsView
from webapp.crm.in_place import InPlaceView
from webapp.registers import cells
from webapp.registers.build import add_register, view_of
from webapp.registers.cells import Cell
from webapp.registers.interface import endpoint_of
from webapp.registers.opened import Opened
from webapp.registers.views import guard
from webapp.security.access import current_actor
from webapp.security.viewing import viewer
from webapp.skin import formats

MOST_CONTACTS = 200
"""A page's worth; who has more finds them in the register."""
LOOKED_FOR = ("decides", "uses", "pays")
"""the map of a customer shows these roles also while nobody is known who plays them"""


def _by_role(contacts: Iterable[Contact]) -> list[tuple[str, Sentence, list[Contact]]]:
    """The map of who plays which role there: of those who have not left; none without anybody."""
    of_role: dict[str, list[Contact]] = {}
    for one in contacts:
        if one.state == "active":
            of_role.setdefault(one.role, []).append(one)
    titles = {**ROLES, "": _("Role not known")}
    found = [(role, title, of_role.get(role, [])) for role, title in titles.items()]
    return [one for one in found if one[2] or one[0] in LOOKED_FOR] if of_role else []


@dataclass(frozen=True)
class Group:
    title: Sentence
    names: tuple[str, ...]
    of_kind: str = ""
    """organization | person; "" = both"""


GROUPS = (
    Group(_("What it is"), ("level", "stage", "industry", "region", "city", "source", "kind")),
    Group(_("How to reach it"), ("phone", "email", "wechat", "website", "address")),
    Group(_("Registered as"), ("credit_code",), "organization"),
    Group(_("In person"), ("birthday",), "person"),
    Group(_("Note"), ("note",)),
)


class CustomersView(InPlaceView):
    register = CUSTOMERS
    phone = "customers"
    list_template = "crm/list.html"
    show_template = "crm/customer.html"

    def created(self, session: Session, record: Customer) -> Customer:
        from_call.tie(session, permissions.CUSTOMER, record.id)
        return record

    def bulk_actions(self) -> Sequence[parts.BulkAction]:
        return parts.bulk(current_actor())

    def may_change(self, record: Customer) -> bool:
        return (
            viewer() is None
            and self.may("manage")
            and record.state != "closed"
            and permissions.may_work(Sessions(), current_actor(), record.id)
        )

    def why_no_longer(self, record: Customer | None, known: Opened) -> tuple[Sentence, Sentence]:
        if record is not None and record.state == "closed":
            return _("{customer} is closed.", customer=known.name), _("Ask for it to be opened again.")
        return parts.no_longer_yours(known.name, is_seen=record is not None, customer_id=known.record_id)

    @expose("/show/<pk>")
    @guard("open")
    def show(self, pk: str) -> str:
        record = self._record(pk)
        return self._render(
            self.show_template,
            title=record.name,
            tabs=[(tab.name, tab.title, tab.url(record)) for tab in parts.tabs(current_actor())],
            groups=self._groups(record),
            modules=parts.MODULES,
            shows_tasks=viewer() is None,
            **self._head(record),
        )

    @expose("/head/<pk>")
    @guard("open")
    def head(self, pk: str) -> str:
        """The head of the page again, after something changed."""
        return self._render("crm/_head.html", **self._head(self._record(pk)))

    @expose("/card/<pk>")
    @guard("open")
    def card(self, pk: str) -> str:
        """The customer beside the list."""
        record = self._record(pk)
        return self._render("crm/_card.html", groups=self._groups(record), **self._head(record))

    @expose("/contacts/<pk>")
    @guard("open")
    def contacts(self, pk: str) -> str:
        """The people one speaks with there; a part of the page."""
        session, actor, record = Sessions(), current_actor(), self._record(pk)
        found = session.scalars(  # ix_contact_organization carries it
            select(Contact)
            .where(Contact.organization_id == record.id, permissions.visible_contacts(actor))
            .options(selectinload(Contact.person))
            .order_by(Contact.state, Contact.is_main.desc(), Contact.id)
            .limit(MOST_CONTACTS)
        ).all()
        look = cells.look(session, CONTACTS, actor, found)
        return self._render(
            "crm/_contacts.html",
            record=record,
            rows=[(one, {c.name: cells.cell(one, c, look) for c in CONTACTS.columns}) for one in found],
            roles=_by_role(found),
            neglected=clock.now() - timedelta(days=permissions.NEGLECTED_DAYS),
            neglected_days=permissions.NEGLECTED_DAYS,
            sees_contacts=permissions.may_see(session, actor, record.id, "contacts"),
            may_change=self.may_change(record)
            and record.kind == "organization"
            and permissions.may_work(session, actor, record.id, "contacts"),
        )

    def _head(self, record: Customer) -> dict[str, Any]:
        session, actor = Sessions(), current_actor()
        return {
            "record": record,
            "pk": record.id,
            "state": self.cell(record, self.column("state")),
            "level": self.cell(record, self.column("level")),
            "phone_cell": self.cell(record, self.column("phone")),
            "facts": parts.facts(session, actor, record),
            "buttons": parts.buttons(session, actor, record),
            "may_change": self.may_change(record),
        }

    def _groups(self, record: Customer) -> list[tuple[Sentence, list[Cell]]]:
        return [
            (group.title, [self.cell(record, self.column(name)) for name in group.names])
            for group in GROUPS
            if group.of_kind in {"", record.kind}
        ]


def facts(_session: Session, _actor: Actor, customer: Customer) -> Iterable[parts.Fact]:
    """Whose it is, and when it was and will be spoken to."""
    if customer.owner is not None:
        yield parts.Fact("user", _("Owner"), customer.owner.name)
    elif customer.state == "open":
        yield parts.Fact("users", _("Pool"), customer.pool.name if customer.pool else str(_("Everybody’s")))
    last = customer.last_contact_at
    yield parts.Fact("message-circle", _("Last contact"), formats.ago(last) if last else str(_("never")))
    due = customer.next_contact_on
    if due is not None:
        is_late = due < business_date(clock.now())
        yield parts.Fact("calendar-event", _("Next contact"), formats.day(due), "red" if is_late else "")


def _contacts_of(customer: Customer) -> str:
    return url_for(f"{endpoint_of(CUSTOMERS.name)}.contacts", pk=customer.id)


def _history_of(customer: Customer) -> str:
    return url_for(f"{endpoint_of(CUSTOMERS.name)}.history", pk=customer.id)


def _talk_of(customer: Customer) -> str:
    return url_for("comments.section", record_type=permissions.CUSTOMER, record_id=customer.id)


def task_button(_session: Session, _actor: Actor, customer: Customer) -> Iterable[parts.Button]:
    """Whoever reads a record may ask somebody to do something about it."""
    if customer.state != "closed":
        url = url_for("tasks.new", record_type=permissions.CUSTOMER, record_id=customer.id)
        yield parts.Button(url, "clipboard-list", _("New task"), is_rare=True)


def _unless_there(known: list[Any], one: Any) -> None:
    if one not in known:
        known.append(one)


def add_views(appbuilder: AppBuilder) -> None:
    add_register(appbuilder, view_of(CUSTOMERS, CustomersView))
    add_register(appbuilder, view_of(CONTACTS, ContactsView))
    _unless_there(parts.TABS, parts.Tab("contacts", _("Contacts"), _contacts_of, order=20))
    talk = parts.Tab("comments", _("Comments"), _talk_of, order=70, is_for_viewers=False)
    _unless_there(parts.TABS, talk)
    _unless_there(parts.MODULES, "app/pages/comments.js")
    _unless_there(parts.BUTTONS, task_button)
    _unless_there(parts.TABS, parts.Tab("history", _("Changes"), _history_of, order=900, permission=permissions.MANAGE))
    if facts not in parts.FACTS:
        parts.FACTS.insert(0, facts)
