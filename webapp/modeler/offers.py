"""What a designer may choose in the panel: services, candidate rules, forms, decisions, processes to call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import forms, policy as policies
from engine.assignment import RULES
from engine.catalog import CATALOG
from engine.errors import DeploymentRefused
from engine.forms.check import PERSON
from engine.models import Definition
from engine.service_tasks import TOPICS
from engine.work_items.rights import HOLDER_ACTIONS
from engine.workflow import decisions
from webapp.modeler.workspace import Workspace

POLICY: Mapping[str, list[str]] = {
    "allow": list(policies.ACTIONS),
    "allowDefault": ["approve", "reject", "return", *HOLDER_ACTIONS],
    **{name: list(values) for name, values in policies.CHOICES.items()},
}
"""The approval policies this version runs; the panel does not offer others."""

FORM = ".form.json"


def title_of(key: str, name: str = "") -> str:
    """What a process is called: as its package says, else as its diagram does."""
    known = CATALOG.processes.get(key)
    return str(known.title) if known else name or key


def offers(session: Session, work: Workspace) -> dict[str, Any]:
    return {
        "rules": [{"name": r.name, "title": str(r.title), "argument": r.argument} for r in RULES.values()],
        "topics": [
            {
                "name": topic.name,
                "title": str(topic.title or topic.name),
                "parameters": list(topic.parameters),
                "required": list(topic.required),
            }
            for topic in sorted(TOPICS.values(), key=lambda one: one.name)
        ],
        "forms": [_form(work, name, text) for name, text in sorted(work.files.items()) if name.endswith(FORM)],
        "decisions": [{"key": one.id, "name": one.name or one.id} for one in decisions.read(work.files).by_id.values()],
        "definitions": _callable(session, work.key),
        "policy": POLICY,
        "pickers": {kind: url_for("designer.pick", kind=kind) for kind in ("person", "position", "role")},
    }


def _form(work: Workspace, file: str, text: str) -> dict[str, Any]:
    key = file.removesuffix(FORM)
    found = {"key": key, "name": key, "url": url_for("designer.files", key=work.key, file=file), "fields": []}
    try:
        schema = forms.check_schema(text)
    except DeploymentRefused:
        return found  # still to be mended; it can be named all the same
    people = [{"key": one.id, "label": one.label} for one in schema.fields if one.reference == PERSON]
    return found | {"name": f"{schema.title} ({key})", "fields": people}


def _callable(session: Session, key: str) -> list[dict[str, str]]:
    rows = session.execute(
        select(Definition.key, Definition.name).where(Definition.state == "active", Definition.key != key)
    )
    return sorted(({"key": key, "name": title_of(key, name)} for key, name in rows), key=lambda one: one["name"])
