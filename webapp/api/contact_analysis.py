"""What the contacts of a period say together, for programs, with the customers behind every number."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from processes.activity import operations
from processes.activity.operations import Asked
from processes.kernel.periods import Period
from processes.party.models import Customer
from webapp.api.activity import Named
from webapp.api.endpoint import Answer, Call, Query, endpoint
from webapp.api.insight import TAG
from webapp.api.paging import ListQuery, Page, page_of, rows, total_of

USUAL_DAYS = 30

Stage = Literal["", "prospect", "contacted", "interested", "dealt", "lost"]
Outcome = Literal["", "reached", "interested", "refused", "not_reached"]
Level = Literal["", "A", "B", "C", "D"]


class AnalysisQuery(Query):
    since: date | None = None
    """first day; without it the last thirty days"""
    until: date | None = None


class Together(Answer):
    stage: str
    result: str
    """of the last contact in the period; "" = none noted"""
    customers: int


class PaceLine(Answer):
    level: str
    customers: int
    """locked ones"""
    contacted: int
    contacts: int
    policy_days: int
    actual_days: float | None
    """days between two contacts with one of them, reckoned over the period"""


class BandLine(Answer):
    """Of all customers, not of the period alone."""

    least: int
    most: int | None
    """contacts made, from and to; null = without end"""
    customers: int
    dealt: int


class ContactAnalysis(Answer):
    since: date
    until: date
    customers: int
    contacts: int
    qualified: int
    """of the contacts: those that count against unlocking"""
    table: list[Together]
    pace: list[PaceLine]
    bands: list[BandLine]


class SpokenQuery(ListQuery):
    since: date | None = None
    until: date | None = None
    stage: Stage = ""
    result: Outcome | None = None
    """null = any, "" = none noted"""
    level: Level = ""


class Spoken(Answer):
    customer: Named
    at: datetime
    result: str


@endpoint("GET", "/reports/contacts", tag=TAG)
def contact_analysis(call: Call, query: AnalysisQuery) -> ContactAnalysis:
    """Customers spoken to by stage and outcome, how often against the policy, who bought after how many contacts.

    Of the customers you see; at most a year.
    """
    period = _period(query)
    said = operations.analyse(call.session, call.actor, period)
    return ContactAnalysis(
        since=period.first,
        until=period.last,
        customers=said.customers,
        contacts=said.contacts,
        qualified=said.qualified,
        table=[
            Together(stage=stage, result=result, customers=count)
            for (stage, result), count in sorted(said.table.items())
        ],
        pace=[PaceLine(**{name: getattr(one, name) for name in PaceLine.__struct_fields__}) for one in said.pace],
        bands=[BandLine(**{name: getattr(one, name) for name in BandLine.__struct_fields__}) for one in said.bands],
    )


@endpoint("GET", "/reports/contacts/customers", tag=TAG)
def customers_spoken_to(call: Call, query: SpokenQuery) -> Page[Spoken]:
    """The customers behind a number with their last contact in the period, the newest first."""
    asked = Asked(_period(query), query.stage, query.result, query.level)
    wanted = operations.behind(call.actor, asked)
    total = total_of(call.session, query, wanted, Customer.id)
    found = rows(call.session, query, wanted)
    return page_of(
        query,
        found,
        total,
        lambda row: Spoken(customer=Named(id=row[0].id, name=row[0].name), at=row[1], result=row[2]),
    )


def _period(query: AnalysisQuery | SpokenQuery) -> Period:
    until = query.until or operations.today()
    return Period.of(query.since or until - min(timedelta(days=USUAL_DAYS - 1), until - date.min), until)
