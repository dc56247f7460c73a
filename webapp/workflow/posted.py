"""What a browser posted for a form, as the values `FormSchema.submit` reads; nothing is judged here."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.forms import Field, FormSchema
from processes.kernel.working_time import ZONE

Posted = MultiDict[str, str]

PRESENT = "_present"
"""Hidden input with the id of each field the page offered: an empty multi select posts nothing by itself."""

_SEPARATORS = re.compile(r"[,\s']")


def values(schema: FormSchema, posted: Posted, step: str | None = None) -> dict[str, Any]:
    """The fields this step may change and the page offered, each in the shape it is stored in or as it was typed."""
    rights = schema.rights(step)
    offered = set(posted.getlist(PRESENT))
    return {
        field.id: _value(field, field.id, posted)
        for field in schema.fields
        if field.id in offered and rights[field.id] in ("edit", "required") and field.computed is None
    }


def prefilled(schema: FormSchema, arguments: Posted) -> dict[str, Any]:
    """What a link has filled in already (`/start/delegation?starts=…`): shown to be looked over, judged when sent.

    Files and lines of tables are nothing a link can bring.
    """
    plain = (one for one in schema.fields if one.type not in ("table", "attachment", "section"))
    return {one.id: _value(one, one.id, arguments) for one in plain if one.id in arguments and one.computed is None}


def _value(field: Field, name: str, posted: Posted) -> Any:
    if field.type == "table":
        return _rows(field, posted)
    if field.type in ("multi", "attachment") or field.multiple:
        return [text for text in posted.getlist(name) if text]
    text = posted.get(name, "")
    return _READ.get(field.type, _as_typed)(text)


def _rows(table: Field, posted: Posted) -> list[dict[str, Any]]:
    """`lines.3.amount` and its neighbours as rows in the order of their numbers, without those left empty."""
    cells: dict[int, MultiDict[str, str]] = defaultdict(MultiDict)
    prefix = f"{table.id}."
    for name in posted:
        if name.startswith(prefix):
            number, _dot, column = name.removeprefix(prefix).partition(".")
            if number.isdecimal() and len(number) < 9:
                cells[int(number)].setlist(column, posted.getlist(name))
    rows = (_row(table.columns, cells[number]) for number in sorted(cells))
    return [row for row in rows if _is_filled(table.columns, row)]


def _row(columns: Iterable[Field], cells: Posted) -> dict[str, Any]:
    return {column.id: _value(column, column.id, cells) for column in columns if column.computed is None}


def _is_filled(columns: Iterable[Field], row: Mapping[str, Any]) -> bool:
    return any(row.get(column.id) not in (None, "", [], False) for column in columns)


def _as_typed(text: str) -> str | None:
    return text if text.strip() else None


def number(text: str) -> str | None:
    """1,234.5 and １，２３４．５ as "1234.5"; what is no number stays as typed, so that the answer can show it."""
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).lstrip("¥￥$")
    return plain or None


def moment(text: str) -> datetime | None:
    """An <input type=datetime-local> on the company's clock; None for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def _instant(text: str) -> str | None:
    """The company's clock stands behind an <input type=datetime-local>."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _as_typed(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).isoformat()


_READ: Mapping[str, Callable[[str], Any]] = {
    "number": number,
    "money": number,
    "datetime": _instant,
    "switch": lambda text: text == "true",
}
