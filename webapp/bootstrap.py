"""Joins the parts: packages to the catalogue, translations to the sentences, the database to the session."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from sqlalchemy import Engine

import processes
from connectors.safe_http import Allowed
from connectors.word import redlining
from engine import attachments, db, i18n, live
from engine.catalog import CATALOG, Catalog, discover
from processes.activity.operations import follow_by
from processes.approval.operations import on_due_of_house, proxies, sms_approvals_of_house
from processes.document.operations import install_address
from processes.kernel import known_addresses, known_numbers, recipient_groups
from processes.messaging.operations import lay_down
from processes.organization.calendar import working_due
from processes.organization.directory import GROUPS, OrganizationDirectory, employees_by_address, employees_by_number
from processes.organization.operations import signature_of
from processes.ownership import operations as ownership
from processes.party import masking, operations as party
from processes.party.directory import parties_by_address, parties_by_number
from processes.party.rules import alike
from processes.telephony.operations import use_plan
from processes.telephony.rules import NumberPlan
from processes.webhooks.operations import allow_private
from webapp.settings import Settings

TRANSLATIONS = Path(__file__).parent / "translations"

LANGUAGES = {"zh": "简体中文", "en": "English"}
"""Language tag -> what its readers call it. English is the source and needs no catalogue."""


def start(settings: Settings) -> Engine:
    """What every process of the house (web, worker, listener, command) does first; returns the database engine."""
    i18n.install(translate)
    engine = db.bind(settings.database_url)
    attachments.install(settings.data_dir / "attachments")
    redlining.install(settings.data_dir / "programs")
    install_address(settings.base_url)
    if settings.redis_url:
        live.connect(settings.redis_url)
    join_parts()
    on_due_of_house(settings.on_due)
    use_plan(NumberPlan(settings.outside_line, settings.area_code))
    allow_private(Allowed.parse(settings.webhook_allow_private))
    sms_approvals_of_house(settings.sms_approvals)
    lay_down(
        quiet=settings.sms_quiet_hours,
        late_after_hours=settings.sms_late_hours,
        approval_above=settings.sms_approval_above,
    )
    ownership.lay_down(
        cool_down_days=settings.lock_cool_down_days,
        daily_requests=settings.lock_requests_a_day,
        fair_hours=settings.lock_fair_hours,
        watchers_shown=settings.watchers_shown,
        most_in_focus=settings.most_in_focus,
    )
    follow_by(
        shortest=settings.contact_min_length,
        ways=settings.contact_ways,
        idle_days=settings.follow_idle_days,
        pool_is_for_all=settings.pool_records,
    )
    party.lay_down(alike.house_rules(settings.duplicates))
    return engine


def join_parts() -> Catalog:
    """Fill the catalogue from the business packages; safe to call twice."""
    discover(processes)
    CATALOG.directory = OrganizationDirectory()
    CATALOG.calendar = working_due
    CATALOG.signature = signature_of
    CATALOG.proxies = proxies
    known_numbers.register("organization", employees_by_number)
    known_numbers.register("party", parties_by_number)
    known_addresses.register("organization", employees_by_address)
    known_addresses.register("party", parties_by_address)
    known_numbers.mask_by("party", masking.of_numbers)
    for group in GROUPS:
        recipient_groups.register(group)
    return CATALOG


@cache
def catalogue(language: str) -> dict[str, str]:
    """English sentence -> sentence in the language, read from the .po files themselves: nothing to compile or go stale.

    What we say ourselves (messages.po) goes before what Flask-AppBuilder says (flask_appbuilder.po).
    """
    folder = TRANSLATIONS / language / "LC_MESSAGES"
    sentences: dict[str, str] = {}
    for name in ("flask_appbuilder.po", "messages.po"):
        if (folder / name).exists():
            with (folder / name).open("rb") as file:
                messages = read_po(file, locale=language)
            sentences |= {str(m.id): str(m.string) for m in messages if m.id and m.string and not m.fuzzy}
    return sentences


def language_of(locale: str) -> str:
    """The language of a locale ("zh_CN", "zh-Hans" -> "zh"); what we do not speak reads English."""
    language = locale.replace("-", "_").split("_")[0].lower()
    return language if language in LANGUAGES else "en"


def translate(sentence: str, locale: str) -> str:
    return catalogue(language_of(locale)).get(sentence, sentence)
