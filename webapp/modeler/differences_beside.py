"""Forms and decision tables taken apart, so that two of them can be compared part by part."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lxml import etree

from engine.i18n import Sentence, _
from engine.workflow.xml_guard import HostileXml, parse

Parts = dict[Sentence, str]
"""what it is -> how it reads"""


def parts(name: str) -> Callable[[str], Parts]:
    return _form if name.endswith(".form.json") else _tables


def _form(text: str) -> Parts:
    try:
        raw = json.loads(text)
        fields, steps = raw["fields"], raw.get("steps", {})
        found = {_("Title"): _flat(raw["title"])}
        found |= {_("Field {name}", name=one["id"]): _flat(one) for one in fields}
        for step, rights in steps.items():
            found |= {
                _("Right of step {step} on {field}", step=step, field=field): right for field, right in rights.items()
            }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {_("Content"): text}  # a draft may hold anything
    return found


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tables(text: str) -> Parts:
    try:
        root = parse(text, "")
    except HostileXml:
        return {_("Content"): text}
    found: Parts = {}
    for decision in root.iterfind("{*}decision"):
        name = decision.get("name") or decision.get("id") or ""
        for table in decision.iterfind("{*}decisionTable"):
            columns = [
                *_texts(table, "{*}input/{*}inputExpression"),
                *(o.get("name", "") for o in table.iterfind("{*}output")),
            ]
            found[_("Columns of {table}", table=name)] = " | ".join(columns)
            found[_("Hit policy of {table}", table=name)] = table.get("hitPolicy", "UNIQUE")
            for number, rule in enumerate(table.iterfind("{*}rule"), start=1):
                cells = [*_texts(rule, "{*}inputEntry"), *_texts(rule, "{*}outputEntry")]
                found[_("Rule {number} of {table}", number=number, table=name)] = " | ".join(cells)
        for literal in _texts(decision, "{*}literalExpression"):
            found[_("Formula of {table}", table=name)] = literal
    return found


def _texts(parent: etree._Element, path: str) -> list[str]:
    return ["".join(map(str, cell.itertext())).strip() or "-" for cell in parent.iterfind(path)]
