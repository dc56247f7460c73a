"""No road around the rights (row 140): every page and call of the house x who asks x whose the customer is.

Roads are taken from the registries (the calls of the interface, the routes of the application). One without a verdict
below fails: whoever adds a page says here whether it shows customers, and how it is asked for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from openpyxl import load_workbook
from sqlalchemy import select

from engine import clock
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import Attachment
from processes.activity import operations as activity
from processes.activity.permissions import RECORD, WRITE
from processes.organization.models import Employee
from processes.ownership.models import Share, UnlockRule, Watch
from processes.party import operations
from processes.party.permissions import MANAGE, MANAGE_ANY, READ, USE
from tests.demo_house import DemoHouse
from webapp.api.endpoint import ENDPOINTS, PREFIX

# ------------------------------------------------------------------------------------------------- who asks, of whom

SELLER, SUPERIOR, AGENT, OTHER, NOBODY, ADMIN = (
    "wang.lei",
    "zhou.ming",
    "li.na",
    "xu.fang",
    "zheng.kai",
    "chen.guoqiang",
)
"""AGENT: the seller's customer is shared with him for work, and a rule masks every phone. ADMIN: given that role."""
OWN, LOCKED, POOL, SHARED, WATCHED, CLOSED = "瑶光", "天璇", "玉衡", "开阳", "天枢", "摇镜"
"""OWN, CLOSED: the seller's. LOCKED, SHARED, WATCHED: the other one's; SHARED with the seller, to read, contacts alone;
WATCHED by the seller since it was in the pool.
"""
STATES = (OWN, LOCKED, POOL, SHARED, WATCHED, CLOSED)

ALL = frozenset({"name", "contact", "record", "plan"})
SEES: dict[str, dict[str, frozenset[str]]] = {
    SELLER: {OWN: ALL, POOL: ALL, SHARED: frozenset({"name", "contact"}), CLOSED: ALL},
    SUPERIOR: {OWN: ALL, POOL: ALL, CLOSED: ALL},
    AGENT: {OWN: ALL, POOL: ALL},
    OTHER: {LOCKED: ALL, POOL: ALL, SHARED: ALL, WATCHED: ALL},
    NOBODY: {},
    ADMIN: dict.fromkeys(STATES, ALL),
}
"""What of each customer; missing = for this person it does not exist."""
WHOLE = {SELLER: {OWN, CLOSED}, SUPERIOR: {OWN, CLOSED}, AGENT: set(), OTHER: {LOCKED, SHARED, WATCHED}, NOBODY: set()}
"""Whose numbers whole; the administrator's are not restricted."""

# ------------------------------------------------------------------------------------------------- verdicts

SILENT = {
    # the frame: signing in, files of ours, the interface's description, is all well
    *("LoginApi", "LoginView", "OpenApi", "SwaggerView", "MenuApi", "UtilView", "LocaleView", "appbuilder", "static"),
    *("service_worker", "manifest", "offline", "healthz", "readyz", "metrics", "ProfileView", "RoleMatrixView"),
    *("api.openapi", "api.keys", "security_login", "security_login_log", "security_role", "connectors"),
    *("api.connectors", "view_as", "api.field_rules"),
    # a view of a list is a question; what it finds is asked of the list with the reader's rights
    *("SavedViewsView", "api.views"),
    # the organization, and what people decide about rights and rules
    *("organization_calendar_day", "organization_department", "organization_employee", "organization_office_hours"),
    *("organization_position", "organization_scope_grant", "party_field_rule", "party_competitor", "activity_policy"),
    *("ownership_creation_policy", "ownership_lock_limit", "calendar", "importing"),
    *("handing_over", "api.employee_imports"),
    # processes: who takes part reads that document alone (engine.work_items.rights)
    *("Workbench", "inbox", "instances", "many", "start", "steering", "comparing", "scheduled", "designer"),
    *("documents", "document_archive", "document_document", "document_template", "printing", "delegations"),
    *("approval_delegation", "office_leave_request", "spending_budget", "spending_category"),
    *("spending_expense_request", "numbering_number", "numbering_rule", "api.callbacks", "api.definitions"),
    *("api.delegations", "api.drafts", "api.inbox", "api.incidents", "api.instance_actions", "api.instances"),
    *("api.item_actions", "api.migrations", "api.numbers", "api.printing", "api.urging", "api.word"),
    *("api.work_items", "api.attachments"),
    # messages to employees, and what other systems are told
    *("messages", "bulk", "messaging_campaign", "messaging_consent", "messaging_message", "messaging_quota"),
    *("notices", "notices_sms_rule", "inbound", "robots", "webhooks", "api.campaigns", "api.inbound_hooks"),
    *("api.messages", "api.notices", "api.received", "api.received_mail", "api.robots", "api.sms_rules"),
    *("api.webhooks",),
    # ask the rights of the record they hang on through the catalogue (tests/processes/test_tasks.py, test_telephony.py)
    *("tasks", "api.tasks", "calls", "phone", "api.telephony", "telephony_agent"),
    *("board", "call_figures", "api.call_figures", "call_quality", "api.call_quality", "telephony_criterion"),
    # a file of one's own that is taken in
    *("party_importing",),
}
"""Views, blueprints and "api.<module>" that show no customer, contact, record or appointment, and why."""

CUSTOMERS = {
    # view or blueprint, or "api.<module>" -> each of its endpoints needs a road, or stands in WITHOUT
    *("party_customer", "party_contact", "follow", "pool", "customer_acts", "customer_lists", "customer_handing"),
    *("party_merging", "party_relations", "party_hints", "party_converting", "customer_sight", "customer_rules"),
    *("activity_record", "activity_appointment", "customer_many", "comments"),
    *("customer_change", "customer_state", "api.insight", "party_files", "about", "api.customer_files"),
    *("LookupView", "SearchView", "api.customers", "api.ownership", "api.handing_over", "api.activity"),
    *("api.appointments", "api.sight", "api.contact_analysis"),
    *("api.comments", "mail_writing"),
}

READS: dict[str, str] = {
    "party_customer.show": "/party/customer/show/{c}",
    "party_customer.head": "/party/customer/head/{c}",
    "party_customer.card": "/party/customer/card/{c}",
    "party_customer.contacts": "/party/customer/contacts/{c}",
    "party_customer.history": "/party/customer/history/{c}",
    "party_customer.edit": "/party/customer/edit/{c}",
    "party_customer.field": "/party/customer/field/{c}/phone",
    "party_customer.value": "/party/customer/value/{c}/phone",
    "party_contact.show": "/party/contact/show/{k}",
    "party_contact.card": "/party/contact/card/{k}",
    "party_contact.history": "/party/contact/history/{k}",
    "party_contact.edit": "/party/contact/edit/{k}",
    "party_contact.field": "/party/contact/field/{k}/phone",
    "party_contact.value": "/party/contact/value/{k}/phone",
    "party_contact.add_in_drawer": "/party/contact/drawer/{c}/add",
    "party_contact.edit_in_drawer": "/party/contact/drawer/{k}/edit",
    **{
        f"activity_{kind}.{page}": f"/activity/{kind}/{page}/{{{key}}}"
        for kind, key in (("record", "r"), ("appointment", "a"))
        for page in ("show", "card", "history", "edit")
    },
    "follow.new": "/follow/new?customer={c}",
    "follow.plan": "/follow/appointments/new?customer={c}",
    "follow.show": "/follow/records/{r}",
    "follow.timeline": "/follow/of/{c}",
    "customer_acts.show": "/customers/{c}/share",
    "customer_acts.owners": "/customers/{c}/owners",
    "party_merging.compare": "/duplicates/merge?kept={c}",
    "party_relations.tab": "/customers/{c}/relations",
    "party_files.tab": "/customers/{c}/files",
    "about.processes": "/about/party.customer/{c}/processes",
    "party_converting.ask_contact": "/contacts/{k}/customer",
    "party_converting.employment": "/customers/{c}/employment",
    "customer_sight.why": "/customers/{c}/why?person={me}",
    "mail_writing.new": "/messages/mail/new?record_type=party.contact&record_id={k}",
    "comments.section": "/comments/party.customer/{c}",
    "comments.listing": "/comments/activity.record/{r}/list",
    "api.customers.get_customer": "/api/v1/customers/{c}",
    "api.customers.get_contact": "/api/v1/contacts/{k}",
    "api.customer_files.list_files": "/api/v1/customers/{c}/files",
    "api.ownership.get_ownership": "/api/v1/customers/{c}/ownership",
    "api.ownership.list_shares": "/api/v1/customers/{c}/shares",
    "api.activity.get_record": "/api/v1/contact-records/{r}",
    "api.appointments.get_appointment": "/api/v1/appointments/{a}",
    "api.sight.get_sight": "/api/v1/customers/{c}/sight?person_id={me}",
    "api.comments.list_comments": "/api/v1/comments?record_type=party.contact&record_id={k}",
}
"""Of one record: not there for whoever does not see it."""

MUST_SHOW = {
    "party_customer.show": "name",
    "party_customer.card": "name",
    "party_customer.contacts": "contact",
    "party_files.tab": "record",
    "api.customer_files.list_files": "record",
    "party_contact.show": "contact",
    "follow.show": "record",
    "follow.timeline": "record",
    "api.customers.get_customer": "name",
    "api.customers.get_contact": "contact",
    "api.activity.get_record": "record",
    "api.appointments.get_appointment": "plan",
    "party_customer.list": "name",
    "party_customer.export": "name",
    "party_customer.excel": "name",
    "party_contact.list": "contact",
    "party_contact.export": "contact",
    "party_contact.excel": "contact",
    **{
        f"activity_{kind}.{page}": shown
        for kind, shown in (("record", "record"), ("appointment", "plan"))
        for page in ("list", "export", "excel", "card")
    },
    "api.customers.list_customers": "name",
    "api.customers.list_contacts": "contact",
    "api.activity.list_records": "record",
    "api.appointments.list_appointments": "plan",
}
"""A road that shows this of all one sees; of the others it is enough that they do not show more."""

NUMBERS = {
    "party_customer.show": "phone",
    "party_customer.card": "phone",
    "party_customer.value": "phone",
    "party_customer.contacts": "number",
    "party_contact.show": "number",
    "party_contact.card": "number",
    "party_contact.value": "number",
    "api.customers.get_customer": "phone",
    "api.customers.get_contact": "number",
    "party_customer.list": "phone",
    "party_customer.export": "phone",
    "party_customer.excel": "phone",
    "party_contact.list": "number",
    "party_contact.export": "number",
    "party_contact.excel": "number",
    "api.customers.list_customers": "phone",
    "api.customers.list_contacts": "number",
}
"""A road that shows this number of all one sees: whole to whoever works on the customer, else masked."""

LISTS: dict[str, tuple[str, ...]] = {
    "party_customer.list": ("/party/customer/list/?size=100",),
    "party_customer.export": ("/party/customer/export",),
    "party_customer.excel": ("/party/customer/excel",),
    "party_contact.list": ("/party/contact/list/?q={contact}",),
    "party_contact.export": ("/party/contact/export",),
    "party_contact.excel": ("/party/contact/excel",),
    **{
        f"activity_{kind}.{page}": (f"/activity/{kind}/{page}{rest}",)
        for kind in ("record", "appointment")
        for page, rest in (("list", "/?size=100"), ("export", ""), ("excel", ""))
    },
    "follow.index": ("/follow/", "/follow/?queue=today", "/follow/?queue=week&person={owner}", "/follow/?queue=chosen"),
    "follow.calendar": ("/follow/calendar", "/follow/calendar?month=2099-01", "/follow/calendar?person={owner}"),
    "follow.team": ("/follow/team",),
    "follow.analysis": ("/follow/analysis",),
    "follow.drilled": ("/follow/analysis/customers",),
    "pool.index": ("/customers/pool",),
    "customer_lists.index": tuple(
        f"/customers/lists?view={one}" for one in ("focus", "watched", "shared", "unlocking")
    ),
    "customer_lists.unlocking_soon": ("/customers/unlocking",),
    "customer_handing.index": ("/customers/hand-over?person={owner}", "/customers/hand-over?ids={every}"),
    "party_merging.index": ("/duplicates",),
    "party_converting.employers": ("/employers",),
    "party_hints.customer": ("/customers/alike?name={name}&phone={phone}",),
    "party_hints.contact": ("/contacts/alike?name={contact}&phone={number}",),
    "customer_rules.assignment": ("/customers/rules/assignment",),
    "customer_rules.unlocking": ("/customers/rules/unlocking",),
    "customer_rules.edit": ("/customers/rules/unlocking/{rule}",),
    "customer_sight.overview": ("/customers/sight?person={owner}",),
    "customer_change.index": ("/reports/customer-change/",),
    "customer_change.behind": tuple(f"/reports/customer-change/customers?column={one}" for one in ("closing", "new")),
    "customer_state.index": ("/reports/customer-state/",),
    "customer_state.behind": ("/reports/customer-state/customers",),
    "api.insight.customer_changes": ("/api/v1/reports/customer-changes",),
    "api.insight.customers_changed": tuple(
        f"/api/v1/reports/customer-changes/customers?column={one}" for one in ("closing", "new")
    ),
    "api.insight.customer_states": ("/api/v1/reports/customer-states",),
    "api.insight.customers_moved": ("/api/v1/reports/customer-states/customers",),
    "LookupView.lookup": ("/lookup/party.customer?q={name}", "/lookup/party.contact?q={contact}"),
    "SearchView.search": ("/search/?q={name}", "/search/?q={phone}", "/search/?q={contact}"),
    "api.customers.list_customers": ("/api/v1/customers?page_size=100",),
    "api.customers.list_contacts": ("/api/v1/contacts?page_size=100",),
    "api.ownership.list_pool": ("/api/v1/customers/pool?page_size=100",),
    "api.ownership.list_watched": ("/api/v1/customers/watched",),
    "api.ownership.list_focus": ("/api/v1/customers/focus",),
    "api.ownership.list_shared": ("/api/v1/customers/shared",),
    "api.activity.list_records": ("/api/v1/contact-records?page_size=100",),
    "api.contact_analysis.contact_analysis": ("/api/v1/reports/contacts",),
    "api.contact_analysis.customers_spoken_to": ("/api/v1/reports/contacts/customers?page_size=100",),
    "api.appointments.list_appointments": ("/api/v1/appointments?page_size=100",),
}

TELLS_NAMES = {"party_hints.customer", "party_hints.contact"}
"""Who is entered twice is told by name to everybody who may enter (row 85); numbers never."""

WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "party_customer.delete": ("/party/customer/delete/{c}", {}),
    "party_customer.edit": ("/party/customer/edit/{c}", {"name": "改名"}),
    "party_customer.field": ("/party/customer/field/{c}/city", {"city": "上海"}),
    "party_customer.reveal": ("/party/customer/reveal/{c}/phone", {}),
    "party_contact.delete": ("/party/contact/delete/{k}", {}),
    "party_contact.edit": ("/party/contact/edit/{k}", {"name": "改名"}),
    "party_contact.field": ("/party/contact/field/{k}/title", {"title": "总"}),
    "party_contact.left": ("/party/contact/left/{k}", {}),
    "party_contact.reveal": ("/party/contact/reveal/{k}/phone", {}),
    "party_contact.add_in_drawer": ("/party/contact/drawer/{c}/add", {"name": "新人"}),
    "party_contact.edit_in_drawer": ("/party/contact/drawer/{k}/edit", {"name": "改名"}),
    "activity_record.edit": ("/activity/record/edit/{r}", {"content": "改过"}),
    "activity_record.delete": ("/activity/record/delete/{r}", {}),
    "activity_appointment.edit": ("/activity/appointment/edit/{a}", {"purpose": "改"}),
    "activity_appointment.delete": ("/activity/appointment/delete/{a}", {}),
    "follow.note": ("/follow/save", {"customer": "{c}", "way": "call", "content": "谈过"}),
    "follow.create": ("/follow/new", {"customer": "{c}", "way": "call", "content": "谈过"}),
    "follow.make": ("/follow/appointments", {"customer": "{c}", "due_on": "2099-01-01"}),
    "follow.act": ("/follow/appointments/{a}/cancel", {"reason": "不去"}),
    "follow.change": ("/follow/records/{r}/edit", {"content": "改过"}),
    "follow.read": ("/follow/records/{r}/read", {}),
    "customer_acts.act": ("/customers/{c}/release", {"reason": "不要"}),
    "customer_acts.mark": ("/customers/{c}/mark/watch", {}),
    "customer_lists.note": ("/customers/{c}/note/watch", {"note": "等消息"}),
    "party_merging.merge": ("/duplicates/merge", {"kept": "{c}", "gone": "{other}"}),
    "party_relations.add": ("/customers/{c}/relations", {"other": "{other}", "kind": "partner"}),
    "party_relations.put": ("/customers/{c}/competitors", {"role": "bidding"}),
    "party_files.add": ("/customers/{c}/files", {"file": "1"}),
    "party_files.remove": ("/customers/{c}/files/1/remove", {}),
    "api.customer_files.add_files": ("/customers/{c}/files", {"attachments": [1]}),
    "api.customer_files.remove_file": ("/customers/{c}/files/1", {}),
    "party_relations.remove": ("/customers/{c}/relations/competitor/1/remove", {}),
    "party_converting.contact_to_customer": ("/contacts/{k}/customer", {}),
    "party_converting.customer_to_contact": ("/customers/{c}/employment", {"customer": "{other}"}),
    "comments.add": ("/comments/party.customer/{c}", {"text": "看见"}),
    "api.customers.change_customer": ("/customers/{c}", {"version": 1, "city": "上海"}),
    "api.customers.close_customer": ("/customers/{c}/actions/close", {"version": 1}),
    "api.customers.create_contact": ("/contacts", {"name": "新人", "customer_id": "{c}"}),
    "api.customers.change_contact": ("/contacts/{k}", {"version": 1, "title": "总"}),
    "api.customers.leave": ("/contacts/{k}/actions/leave", {"version": 1}),
    "api.ownership.lock": ("/customers/{c}/actions/lock", {}),
    "api.ownership.apply": ("/customers/{c}/actions/apply", {"reason": "想要"}),
    "api.ownership.release": ("/customers/{c}/actions/release", {"reason": "不要"}),
    "api.ownership.protect": ("/customers/{c}/actions/protect", {"until": "2099-01-01", "reason": "重点"}),
    "api.ownership.reopen": ("/customers/{c}/actions/reopen", {}),
    "api.handing_over.assign": ("/customers/{c}/actions/assign", {"to": "{me}"}),
    "api.handing_over.hand_over": ("/customers/{c}/actions/handover", {"to": "{me}"}),
    "api.handing_over.preview_hand_over": ("/customers/actions/preview-handover", {"customers": ["{c}"], "to": "{me}"}),
    "api.handing_over.hand_over_many": ("/customers/actions/handover", {"customers": ["{c}"], "to": "{me}"}),
    "api.ownership.watch": ("/customers/{c}/actions/watch", {}),
    "api.ownership.unwatch": ("/customers/{c}/actions/unwatch", {}),
    "api.ownership.focus": ("/customers/{c}/actions/focus", {}),
    "api.ownership.unfocus": ("/customers/{c}/actions/unfocus", {}),
    "api.ownership.share": ("/customers/{c}/actions/share", {"person": "{me}"}),
    "api.ownership.revoke": ("/customer-shares/{share}/actions/revoke", {}),
    "api.activity.create_record": ("/contact-records", {"customer_id": "{c}", "way": "call", "content": "谈过了"}),
    "api.activity.edit_record": ("/contact-records/{r}", {"version": 1, "content": "改过"}),
    "api.activity.void_record": ("/contact-records/{r}/actions/void", {"version": 1, "reason": "错"}),
    "api.activity.comment": ("/contact-records/{r}/actions/comment", {"text": "看见"}),
    "api.appointments.make_appointment": ("/appointments", {"customer_id": "{c}", "due_on": "2099-01-01"}),
    "api.appointments.reschedule": (
        "/appointments/{a}/actions/reschedule",
        {"version": 1, "due_on": "2099-01-01", "reason": "改"},
    ),
    "api.appointments.cancel": ("/appointments/{a}/actions/cancel", {"version": 1, "reason": "不去"}),
    "api.appointments.join": ("/appointments/{a}/actions/join", {"version": 1}),
    "api.appointments.take_over": ("/appointments/{a}/actions/take-over", {"version": 1, "reason": "我来"}),
    "api.comments.add": ("/comments", {"record_type": "party.contact", "record_id": "{k}", "text": "看见"}),
    "mail_writing.recipients": ("/messages/mail/recipients", {"record_type": "party.customer", "record_id": "{c}"}),
    "mail_writing.send": (
        "/messages/mail/new",
        {"record_type": "party.customer", "record_id": "{c}", "to": "a@b.example", "subject": "x", "text": "x"},
    ),
}
"""Refused, without a word of it, for whoever does not see the record."""

WITHOUT = {
    # name no record of a customer in what they are asked, and show none in the answer
    *("party_customer.add", "party_contact.add", "api.customers.create_customer", "api.ownership.get_usage"),
    *(
        "api.appointments.get_counts",
        "api.activity.read_progress",
        "comments.void",
        "api.comments.get_comment",
        "api.comments.change",
    ),
    *("api.comments.void", "api.comments.list_of_instance", "api.comments.add_to_instance", "follow.read_all"),
    *(
        "customer_rules.save",
        "customer_rules.move",
        "customer_handing.undo",
        "api.handing_over.undo",
        "party_merging.dismiss",
        "party_merging.undo",
    ),
    # take several ids and leave out, or refuse as a whole, what one may not have: asked as lists, tested with them
    *("party_customer.action", "party_customer.action_post", "party_contact.action", "party_contact.action_post"),
    *(f"activity_{kind}.{act}" for kind in ("record", "appointment") for act in ("add", "action", "action_post")),
    *("customer_many.mark", "customer_many.hand_over", "customer_handing.plan"),
    *("pool.act", "customer_handing.run", "customer_acts.revoke", "party_converting.make_prospects"),
}


def head(endpoint: str) -> str:
    pieces = endpoint.split(".")
    return ".".join(pieces[:2]) if pieces[0] == "api" else pieces[0]


def test_every_road_of_the_house_has_a_verdict(house: DemoHouse) -> None:
    routes = {rule.endpoint for rule in house.app.url_map.iter_rules()} | set(ENDPOINTS)
    unknown = {one for one in routes if head(one) not in SILENT | CUSTOMERS}
    assert unknown == set(), "say in SILENT or CUSTOMERS whether it shows customers"
    asked = READS.keys() | LISTS.keys() | WRITES.keys() | WITHOUT
    assert {one for one in routes if head(one) in CUSTOMERS} - asked == set(), "say how it is asked for a customer"
    assert asked - routes == set(), "a verdict on a road that is gone"
    assert {one for one in SILENT | CUSTOMERS if one not in {head(route) for route in routes}} == set()


# ------------------------------------------------------------------------------------------------- the customers


@dataclass
class Trade:
    """One customer in each state, with a contact, a record and an appointment; each of their words is unmistakable."""

    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    rule: int = 0

    @staticmethod
    def words(state: str) -> dict[str, str]:
        number = STATES.index(state)
        return {
            "name": f"{state}斗魁器具",
            "contact": f"{state}联络官",
            "record": f"{state}谈及的秘事一桩",
            "plan": f"{state}约见的缘由",
            "phone": f"1385550{number:04d}",
            "number": f"1395550{number:04d}",
        }

    def places(self, state: str, who: str) -> dict[str, Any]:
        other = POOL if state != POOL else OWN
        return {
            **self.words(state),
            **self.ids[state],
            "me": self.people[who],
            "owner": self.people[OTHER],
            "other": self.ids[other]["c"],
            "rule": self.rule,
            "share": self.ids[state].get("share", self.ids[SHARED]["share"]),
            "every": ",".join(str(one["c"]) for one in self.ids.values()),
        }

    def add(self, state: str, owner: str) -> None:
        words = self.words(state)
        with transaction() as session:
            values = {"name": words["name"], "phone": words["phone"], "duplicate_reason": "测试"}
            customer = operations.create_customer(session, SYSTEM, values=values)
            values = {"name": words["contact"], "customer": customer.id, "phone": words["number"]}
            contact = operations.create_contact(session, SYSTEM, values=values | {"duplicate_reason": "测试"})
            writer = self.people[owner or OTHER]
            rights = frozenset({USE, READ, MANAGE, MANAGE_ANY, WRITE})
            record = activity.create_record(
                session,
                Actor(writer, owner, permissions=rights),
                values={"customer": customer.id, "contact": contact.id, "way": "call", "content": words["record"]},
                purpose=words["plan"],
            )
            (plan,) = activity.open_of(session, customer.id)
            if owner:
                customer.owner_id, customer.owned_since, customer.state = self.people[owner], clock.now(), "locked"
            session.flush()
            session.add(sheet_of(record.id, words["record"], writer))
            self.ids[state] = {"c": customer.id, "k": contact.id, "r": record.id, "a": plan.id}
            if state == CLOSED:
                customer.state = "closed"

    def lend(self, state: str, to: str, level: str, parts: list[str]) -> None:
        with transaction() as session:
            whose = {"customer_id": self.ids[state]["c"], "person_id": self.people[to]}
            share = Share(**whose, level=level, parts=parts, created_by=self.people[OTHER])
            session.add(share)
            session.flush()
            self.ids[state]["share"] = share.id


def sheet_of(record_id: int, name: str, by: int) -> Attachment:
    """A file sent along with a contact record, called like what was said."""
    kept = {"media_type": "application/pdf", "size": 1, "sha256": "0" * 64}
    hung = {"record_type": RECORD, "record_id": record_id, "uploaded_by": by, "uploaded_at": clock.now()}
    return Attachment(name=f"{name}.pdf", **kept, **hung)


@pytest.fixture
def trade(house: DemoHouse) -> Trade:
    made = Trade()
    with transaction() as session:
        logins = select(Employee.id, User.username).join(User, User.id == Employee.user_id)
        made.people = {username: key for key, username in session.execute(logins)}
        admin = session.scalars(select(User).where(User.username == ADMIN)).one()
        admin.roles = [session.scalars(select(Role).where(Role.name == "Admin")).one()]
    owners = {OWN: SELLER, LOCKED: OTHER, POOL: "", SHARED: OTHER, WATCHED: OTHER, CLOSED: SELLER}
    for state, owner in owners.items():
        made.add(state, owner)
    made.lend(SHARED, SELLER, "read", ["contacts"])
    made.lend(OWN, AGENT, "work", ["contacts", "records"])
    with transaction() as session:
        session.add(Watch(person_id=made.people[SELLER], customer_id=made.ids[WATCHED]["c"], source="pool"))
        unlocks = UnlockRule(name="久未联系", kind="no_contact", days=1, starts_on=date(2020, 1, 1))
        session.add(unlocks)
        session.flush()
        made.rule = unlocks.id
        for name in ("customer.phone", "contact.phone"):
            values = {"field": name, "person": made.people[AGENT], "sees": "masked", "narrows": True}
            operations.create_field_rule(session, SYSTEM, values=values)
    Sessions.remove()
    return made


# ------------------------------------------------------------------------------------------------- asked


def text_of(answer: Any) -> str:
    """What an answer says; numbers without the blanks between their digits."""
    if answer.mimetype.endswith("sheet"):
        sheets = load_workbook(BytesIO(answer.data)).worksheets
        return " ".join(str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row)
    return re.sub(r"(?<=\d) (?=\d)", "", answer.text)


def too_much(trade: Trade, who: str, text: str, *, names: bool = True) -> list[tuple[str, str]]:
    """What a text says of a customer that the reader must not know."""
    found = []
    for state in STATES:
        words, sees = trade.words(state), SEES[who].get(state, frozenset())
        kept_back = [one for one in ("name", "contact", "record", "plan") if one not in sees]
        if who != ADMIN and state not in WHOLE[who]:
            kept_back += ["phone", "number"]
        if not names:
            kept_back = [one for one in kept_back if one not in {"name", "contact"}]
        found += [(state, one) for one in kept_back if words[one] in text]
    return found


def too_little(trade: Trade, who: str, road: str, state: str, text: str) -> list[tuple[str, str]]:
    """What a road should have said of a customer the reader sees."""
    words, sees, must, found = trade.words(state), SEES[who].get(state, frozenset()), MUST_SHOW.get(road), []
    if must in sees and words[must or ""] not in text:
        found.append((state, f"no {must}"))
    number = NUMBERS.get(road)
    if number is not None and ("name" if number == "phone" else "contact") in sees:
        whole = who == ADMIN or state in WHOLE[who]
        shown = words[number] if whole else f"{words[number][:3]}****{words[number][-4:]}"
        if shown not in text:
            found.append((state, f"{number} not {'whole' if whole else 'masked'}"))
    return found


PEOPLE = [SELLER, SUPERIOR, AGENT, OTHER, NOBODY, ADMIN]
ASKED = {
    SELLER: STATES,
    SUPERIOR: (OWN, LOCKED, SHARED),
    AGENT: (OWN, LOCKED, POOL),
    OTHER: (OWN, SHARED, WATCHED),
    NOBODY: STATES,
    ADMIN: (CLOSED,),
}
"""Of which customers each is asked record by record; the rest would say what another state has said."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", PEOPLE)
def test_a_record_one_does_not_see_is_on_no_road(house: DemoHouse, trade: Trade, who: str) -> None:
    browser, wrong = house.login(who), []
    needs = {"k": "contact", "r": "record", "a": "plan"}
    for state in ASKED[who]:
        sees = SEES[who].get(state, frozenset())
        for road, template in READS.items():
            answer = browser.get(template.format(**trade.places(state, who)))
            text = text_of(answer)
            part = next((part for place, part in needs.items() if f"{{{place}}}" in template), "name")
            if part not in sees and answer.status_code not in {403, 404}:
                wrong.append((road, state, answer.status_code))
            wrong += [(road, state, *one) for one in too_much(trade, who, text)]
            wrong += [(road, *one) for one in too_little(trade, who, road, state, text)]
            if answer.status_code >= 500:
                wrong.append((road, state, answer.status_code))
    assert wrong == [], "\n".join(map(str, wrong))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", PEOPLE)
def test_lists_exports_searches_and_pickers_say_no_more_than_one_sees(house: DemoHouse, trade: Trade, who: str) -> None:
    browser, wrong = house.login(who), []
    for road, templates in LISTS.items():
        for template in templates:
            states = STATES if re.search(r"{(name|phone|contact|number)}", template) else STATES[:1]
            for state in states:
                answer = browser.get(template.format(**trade.places(state, who)))
                text = text_of(answer)
                asked = trade.words(state)
                for one in ("name", "phone", "contact", "number"):
                    if f"{{{one}}}" in template:  # what was typed stands in the form again
                        text = re.sub(rf'value="{asked[one]}"|“{asked[one]}”', "", text)
                told = too_much(trade, who, text, names=road not in TELLS_NAMES)
                if "{phone}" in template or "{number}" in template:
                    told = [
                        (where, what)
                        for where, what in told
                        if (where, what) not in {(state, "phone"), (state, "number")}
                    ]
                wrong += [(road, template, *one) for one in told]
                for one in STATES if len(states) == 1 else (state,):
                    wrong += [(road, *missing) for missing in too_little(trade, who, road, one, text)]
                if answer.status_code >= 500:
                    wrong.append((road, template, str(answer.status_code)))
    assert wrong == [], "\n".join(map(str, wrong))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", [SELLER, SUPERIOR, OTHER, NOBODY])
def test_nothing_is_written_about_a_record_one_does_not_see(house: DemoHouse, trade: Trade, who: str) -> None:
    """Asked about one state each may not see; the seller's watch opens nothing to write either."""
    browser, wrong = house.login(who), []
    state = {SELLER: WATCHED, SUPERIOR: LOCKED, OTHER: OWN, NOBODY: POOL}[who]
    places, token = trade.places(state, who), browser.token()
    for road, (template, body) in WRITES.items():
        filled = {name: _filled(value, places) for name, value in body.items()}
        url = template.format(**places)
        if road in ENDPOINTS:
            method = ENDPOINTS[road].method
            answer = browser.client.open(PREFIX + url, method=method, json=filled, headers={"X-CSRFToken": token})
        else:
            answer = browser.client.post(url, data={"csrf_token": token, **filled})
        if answer.status_code not in {403, 404}:
            wrong.append((road, answer.status_code, answer.text[:300] if road in ENDPOINTS else ""))
        wrong += [(road, *one) for one in too_much(trade, who, text_of(answer))]
    assert wrong == [], "\n".join(map(str, wrong))


NOWHERE = 987654
"""The id of nothing."""


@pytest.mark.timeout(300)
def test_what_one_does_not_see_is_not_told_apart_from_what_is_not_there(house: DemoHouse, trade: Trade) -> None:
    """By no status and no word: ids are numbers anybody can count through."""
    browser, wrong = house.login(SELLER), []
    token, there = browser.token(), trade.places(LOCKED, SELLER)
    nothing = there | {place: NOWHERE + at for at, place in enumerate("ckra")}

    def said(road: str, places: dict[str, Any]) -> tuple[int, str]:
        if road in READS:
            answer = browser.get(READS[road].format(**places))
        else:
            template, body = WRITES[road]
            url, filled = template.format(**places), {name: _filled(value, places) for name, value in body.items()}
            if road in ENDPOINTS:
                answer = browser.client.open(
                    PREFIX + url, method=ENDPOINTS[road].method, json=filled, headers={"X-CSRFToken": token}
                )
            else:
                answer = browser.client.post(url, data={"csrf_token": token, **filled})
        page = re.search(r"<main.*?</main>", answer.text, re.DOTALL)
        return answer.status_code, re.sub(r"\d+|[0-9a-f]{8,}", "#", page.group() if page else answer.text)

    for road in (*READS, *WRITES):
        seen, missing = said(road, there), said(road, nothing)
        if seen != missing:
            wrong.append((road, *seen, *missing))
    assert wrong == [], "\n".join(map(str, wrong))


def _filled(value: Any, places: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_filled(one, places) for one in value]
    if isinstance(value, str) and value.startswith("{"):
        return places[value.strip("{}")]
    return value
