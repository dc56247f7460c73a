"""The duplicate check among 200,000 parties, beside the bare SQL of its exact roads."""

from __future__ import annotations

from random import Random
from typing import Any

from sqlalchemy import Engine, bindparam, text

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.party.models import Contact, ContactPoint, Customer, NameGram, Party
from processes.party.operations import find_alike
from tests.bench import house
from tests.bench.lists import Timing, time_calls
from webapp.demo import large, names

CUSTOMERS, BATCH = 90_000, 2_000
"""with their contacts some 210,000 parties"""


def fill(engine: Engine, customers: int = CUSTOMERS) -> None:
    with transaction() as session:
        connection = session.connection()
        for batch in large.parties_only(customers, BATCH):
            for model in (Party, Customer, ContactPoint, NameGram, Contact):
                large.write(connection, model, batch[model])
    Sessions.remove()
    house.settle()


def asked(count: int = 200) -> list[dict[str, Any]]:
    """What people type: the name of one that is there, a little different, with a number."""
    chance, source = Random(3), names.firms(large.SEED)
    found = []
    for number in range(count):
        name = next(source)[0]
        for old, new in (("有限公司", "股份有限公司"), ("科技", "科贸"), ("上海", "")):
            name = name.replace(old, new) if chance.random() < 0.4 else name
        found.append({"name": name, "phones": [f"+8619{number:09d}"]})
    return found


def ours() -> Timing:
    questions = asked()

    def call(number: int) -> None:
        with transaction() as session:
            if not find_alike(session, SYSTEM, kind="organization", **questions[number % len(questions)]):
                raise RuntimeError("nobody was found: the bench measures nothing")
        Sessions.remove()

    return time_calls(call)


def bare(engine: Engine) -> Timing:
    """Exact name, core and phone alone, by one statement."""
    statement = text(
        "SELECT p.id, p.name FROM party p WHERE p.state = 'active' AND (p.name_key = :key OR p.name_core = :core "
        "OR p.id IN (SELECT party_id FROM contact_point WHERE kind = 'phone' AND value IN :phones)) LIMIT 20"
    ).bindparams(bindparam("phones", expanding=True))
    from processes.party import rules

    questions = [
        {"key": rules.name_key(one["name"]), "core": rules.name_core(one["name"]), "phones": one["phones"]}
        for one in asked()
    ]

    def call(number: int) -> None:
        with engine.connect() as connection:
            connection.execute(statement, questions[number % len(questions)]).all()

    return time_calls(call)
