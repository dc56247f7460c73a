"""Reads a template before it is used: which fields it wants, and every fault with the paragraph it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from connectors.word import guarding
from connectors.word.faults import BadTemplate, MissingField, Place
from connectors.word.filling import fill
from connectors.word.guarding import W
from connectors.word.language import FILTER_KINDS, OPTIONAL_FILTERS, Filters, WordLanguage, forbidden
from connectors.word.reading import paragraphs, parts_of, place_of, row_of, text_of

LARGEST_XML = 4 * 1024 * 1024
"""Of the parts of a template; a contract of two hundred pages has half of it."""
DEEPEST = 4
"""Loops in loops."""

TINY_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LOOSE = re.compile(r"\{\{|\}\}|\{%|%\}|\{#")
_PARTS = re.compile(r"\{[{%](?P<prefix>tr|tc|p|r)?(?:\s|-)\s*(?P<words>.*?)-?[%}]\}", re.DOTALL)
_BARE = re.compile(r"\{[{%]-?\s*(?P<words>.*?)-?[%}]\}", re.DOTALL)
_QUOTES = str.maketrans("“”‘’", "\"\"''")
_LAYOUT = {"vm", "hm", "colspan", "cellbg"}
"""docxtpl's own words for cells."""
_ENDS = {"endfor": "for", "endif": "if"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a template; `code` is a word of ours, `detail` what it is about."""

    code: str
    place: Place | None
    detail: str = ""


@dataclass
class TemplateField:
    """A value the template wants. `fields` = of a group, or of each line of a list."""

    name: str
    kind: str = "text"
    """text | money | date | number | flag | picture | group | list"""
    required: bool = False
    fields: dict[str, TemplateField] = field(default_factory=dict)
    place: Place | None = None
    is_list: bool = False
    may_lack: bool = False
    printed: bool = False
    """it stands in the text; what is only asked for is yes or no"""

    def child(self, name: str, place: Place) -> TemplateField:
        return self.fields.setdefault(name, TemplateField(name, place=place))

    @property
    def shape(self) -> str:
        if self.is_list or self.fields:
            return "list" if self.is_list else "group"
        return "text" if self.kind == "flag" and self.printed else self.kind

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.shape,
            "required": self.required and not self.may_lack,
            "fields": [one.as_dict() for one in self.fields.values()],
        }


@dataclass(frozen=True)
class TemplateReport:
    fields: tuple[dict[str, Any], ...]
    """[{"name", "kind", "required", "fields"}] in the order in which the template names them"""
    placeholders: tuple[str, ...]
    """paths, "lines[].price" for those of each line"""
    loops: tuple[str, ...]
    images: tuple[str, ...]
    faults: tuple[Fault, ...]


def inspect(template: bytes, *, filters: Filters, known: Iterable[str] | None = None) -> TemplateReport:
    """What the template wants and what is wrong with it. Raises Refused for what is no Word file of ours.

    known: paths the data will have, when that is fixed beforehand; others are faults then.
    """
    guarding.check(template)
    walk = _Walk(WordLanguage({**filters, "picture": str}))
    for part in parts_of(template):
        walk.part(part.kind, part.root)
    fields = tuple(one.as_dict() for one in walk.root.fields.values())
    paths = tuple(_paths(walk.root))
    faults = [*walk.faults]
    if known is not None:
        allowed = set(known)
        faults += [Fault("unknown_field", place, path) for path, _kind, place in paths if path not in allowed]
    if not faults:
        faults += _trial(template, fields, filters)
    return TemplateReport(
        fields=fields,
        placeholders=tuple(path for path, _kind, _place in paths),
        loops=tuple(path for path, kind, _place in _paths(walk.root, groups=True) if kind == "list"),
        images=tuple(path for path, kind, _place in paths if kind == "picture"),
        faults=tuple(faults),
    )


def _paths(above: TemplateField, before: str = "", *, groups: bool = False) -> Iterator[tuple[str, str, Place | None]]:
    for one in above.fields.values():
        path = f"{before}{one.name}"
        if groups or not one.fields:
            yield path, one.shape, one.place
        yield from _paths(one, f"{path}[]." if one.is_list else f"{path}.", groups=groups)


def sample(fields: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Data of the right shape: what a trial is filled with."""
    return {one["name"]: _sample(one) for one in fields}


def _sample(one: Mapping[str, Any]) -> Any:
    if one["kind"] == "list":
        return [sample(one["fields"]) if one["fields"] else "x"] * 2
    if one["kind"] == "group":
        return sample(one["fields"])
    return {"money": "1234.50", "number": 12, "date": "2026-11-27", "flag": True, "picture": "x"}.get(one["kind"], "x")


def _trial(template: bytes, fields: Iterable[Mapping[str, Any]], filters: Filters) -> list[Fault]:
    """Fills it once: what stands in the wrong place (a loop over half a table) shows only then."""
    try:
        fill(template, sample(fields), filters=filters, pictures={"x": TINY_PNG})
    except BadTemplate as error:
        place = Place("body", error.where) if error.where else None
        return [Fault("broken_structure", place, "" if error.detail == "broken_structure" else error.detail)]
    except MissingField as error:
        return [Fault("unclear_field", None, error.name)]
    return []


# ------------------------------------------------------------------------------------------------- the walk


@dataclass
class _Open:
    """A loop or condition whose end has not come yet."""

    keyword: str
    prefix: str
    place: Place
    names: dict[str, TemplateField | None]


class _Walk:
    """Goes through the tags of a file in reading order, with the loops and conditions that are open."""

    def __init__(self, language: WordLanguage) -> None:
        self.root = TemplateField("")
        self.faults: list[Fault] = []
        self._language = language
        self._open: list[_Open] = []
        self._set: dict[str, TemplateField | None] = {}

    def part(self, kind: Any, root: Any) -> None:
        self._open, self._set = [], {}
        if any(True for _one in root.iter(f"{W}ins", f"{W}del", f"{W}moveFrom", f"{W}moveTo")):
            self.faults.append(Fault("tracked_changes", Place(kind, "")))
        tagged_rows: set[Any] = set()
        for paragraph in paragraphs(root):
            text = text_of(paragraph)
            if "{" in text or "}" in text:
                self._paragraph(paragraph, text, place_of(kind, paragraph), tagged_rows)
        self.faults += [Fault("not_closed", one.place, one.keyword) for one in self._open]

    def _paragraph(self, paragraph: Any, text: str, place: Place, tagged_rows: set[Any]) -> None:
        for rest in _LOOSE.findall(_TAG.sub("", text)):
            self.faults.append(Fault("loose_braces", place, rest))
        for tag in _TAG.findall(text):
            if tag.startswith("{#"):
                continue
            found = _PARTS.fullmatch(tag)
            prefix = (found["prefix"] or "") if found else ""
            words = (found or _BARE.fullmatch(tag) or {"words": ""})["words"].translate(_QUOTES).strip()
            if prefix in {"tr", "tc"}:
                self._check_row(paragraph, prefix, place, tagged_rows)
            elif prefix == "p" and text.replace(tag, "").strip():
                self.faults.append(Fault("beside_tag", place, tag))
            if tag.startswith("{{"):
                self._expression(words, place)
            else:
                self._statement(words, prefix, place)

    def _check_row(self, paragraph: Any, prefix: str, place: Place, tagged_rows: set[Any]) -> None:
        """The whole row, or cell, around such a tag goes: it must hold nothing else."""
        row = row_of(paragraph)
        if row is None:
            self.faults.append(Fault("not_in_table", place, prefix))
            return
        around = row if prefix == "tr" else next(paragraph.iterancestors(f"{W}tc"))
        if around in tagged_rows:
            self.faults.append(Fault("two_in_row", place, prefix))
            return
        tagged_rows.add(around)
        words = "".join(text_of(one) for one in around.iter(f"{W}p"))
        tags = [tag for tag in _TAG.findall(words) if tag.startswith((f"{{%{prefix} ", f"{{{{{prefix} "))]
        if len(tags) > 1:
            return  # said of the second
        rest = words
        for tag in tags:
            rest = rest.replace(tag, "")
        if rest.strip():
            self.faults.append(Fault("beside_tag", place, " ".join(tags)))

    # ----------------------------------------------------------------------------------------- tags

    def _expression(self, words: str, place: Place) -> None:
        tree = self._parsed(f"{{{{ {words} }}}}", place)
        if tree is not None:
            for output in tree.find_all(nodes.Output):
                for one in output.nodes:
                    found = self._use(one, place)
                    if found is not None:
                        found.printed = True

    def _statement(self, words: str, prefix: str, place: Place) -> None:
        keyword, _blank, rest = words.partition(" ")
        if keyword in _LAYOUT:
            if rest:
                self._expression(rest, place)
        elif keyword == "for":
            self._loop(words, prefix, place)
        elif keyword == "if":
            self._condition(rest, place)
            self._open.append(_Open("if", prefix, place, {}))
        elif keyword in {"elif", "else"}:
            if not self._open or (keyword == "elif" and self._open[-1].keyword != "if"):
                self.faults.append(Fault("no_beginning", place, keyword))
            elif keyword == "elif":
                self._condition(rest, place)
        elif keyword in _ENDS:
            self._close(keyword, prefix, place)
        elif keyword == "set":
            self._assignment(words, place)
        else:
            self.faults.append(Fault("unknown_statement", place, keyword or "{% %}"))

    def _close(self, keyword: str, prefix: str, place: Place) -> None:
        if not self._open or self._open[-1].keyword != _ENDS[keyword]:
            self.faults.append(Fault("no_beginning", place, keyword))
            return
        opened = self._open.pop()
        if opened.prefix != prefix:
            self.faults.append(Fault("ends_differ", place, f"{opened.prefix or '-'} / {prefix or '-'}"))

    def _loop(self, words: str, prefix: str, place: Place) -> None:
        opened = _Open("for", prefix, place, {"loop": None})
        tree = self._parsed(f"{{% {words} %}}{{% endfor %}}", place)
        loop = next(tree.find_all(nodes.For), None) if tree is not None else None
        if loop is not None:
            many = self._use(loop.iter, place)
            if many is not None:
                many.is_list = True
            if not isinstance(loop.target, nodes.Name):
                self.faults.append(Fault("not_allowed", place, "for a, b in"))
            else:
                opened.names[loop.target.name] = many
            if loop.test is not None:
                self._test(loop.test, place, {loop.target.name: many} if isinstance(loop.target, nodes.Name) else {})
        self._open.append(opened)
        if sum(one.keyword == "for" for one in self._open) > DEEPEST:
            self.faults.append(Fault("too_deep", place))

    def _condition(self, words: str, place: Place) -> None:
        tree = self._parsed(f"{{% if {words} %}}{{% endif %}}", place)
        for one in tree.find_all(nodes.If) if tree is not None else ():
            self._test(one.test, place)

    def _assignment(self, words: str, place: Place) -> None:
        tree = self._parsed(f"{{% {words} %}}", place)
        for one in tree.find_all(nodes.Assign) if tree is not None else ():
            value = self._use(one.node, place)
            if isinstance(one.target, nodes.Name):
                (self._open[-1].names if self._open else self._set)[one.target.name] = value

    def _parsed(self, source: str, place: Place) -> nodes.Template | None:
        try:
            tree = self._language.parse(source)
        except TemplateSyntaxError:
            self.faults.append(Fault("not_readable", place, source.partition("{% end")[0][:80]))
            return None
        wrong = list(dict.fromkeys(forbidden(tree, self._language.filters)))
        self.faults += [Fault(code, place, what) for code, what in wrong]
        return None if wrong else tree

    # ----------------------------------------------------------------------------------------- fields

    def _use(self, expression: nodes.Node, place: Place) -> TemplateField | None:
        """Note every field an expression reads; answers the one it stands for as a whole, if it stands for one."""
        if isinstance(expression, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            found = self._field(expression, place)
            if found is not None and not any(one.keyword == "if" for one in self._open):
                found.required = True
            return found
        if isinstance(expression, nodes.Filter) and expression.node is not None:
            found = self._use(expression.node, place)
            for argument in expression.args:
                self._use(argument, place)
            if found is not None:
                found.kind = FILTER_KINDS.get(expression.name, found.kind)
                found.may_lack |= expression.name in OPTIONAL_FILTERS
            return found
        if isinstance(expression, (nodes.Test, nodes.Compare, nodes.And, nodes.Or, nodes.Not)):
            self._test(expression, place)
            return None
        if isinstance(expression, nodes.CondExpr):
            self._test(expression.test, place)
            for branch in (expression.expr1, expression.expr2):
                found = self._use(branch, place) if branch is not None else None
                if found is not None:
                    found.required = False
            return None
        for child in expression.iter_child_nodes():
            self._use(child, place)
        return None

    def _test(self, test: nodes.Node, place: Place, names: dict[str, TemplateField | None] | None = None) -> None:
        """A bare name in a condition is yes or no; one asked whether it is there may be missing."""
        if names:
            self._open.append(_Open("", "", place, names))
        if isinstance(test, nodes.Test):
            found = self._use(test.node, place)
            if found is not None and test.name in {"defined", "undefined"}:
                found.may_lack = True
        elif isinstance(test, (nodes.And, nodes.Or)):
            self._test(test.left, place)
            self._test(test.right, place)
        elif isinstance(test, nodes.Not):
            self._test(test.node, place)
        elif isinstance(test, nodes.Compare):
            self._use(test.expr, place)
            for operand in test.ops:
                self._use(operand.expr, place)
        else:
            found = self._use(test, place)
            if found is not None and isinstance(test, (nodes.Name, nodes.Getattr)) and found.kind == "text":
                found.kind = "flag"
        if names:
            self._open.pop()

    def _field(self, expression: nodes.Node, place: Place) -> TemplateField | None:
        if isinstance(expression, nodes.Name):
            for opened in reversed(self._open):
                if expression.name in opened.names:
                    return opened.names[expression.name]
            if expression.name in self._set:
                return self._set[expression.name]
            return self.root.child(expression.name, place)
        if isinstance(expression, nodes.Getattr):
            above = self._field(expression.node, place)
            return above.child(expression.attr, place) if above is not None else None
        if isinstance(expression, nodes.Getitem) and isinstance(expression.arg, nodes.Const):
            above = self._field(expression.node, place)
            if above is None or isinstance(expression.arg.value, str):
                return above.child(str(expression.arg.value), place) if above is not None else None
            above.is_list = True
            return above
        self._use(expression, place)
        return None


def lacking(fields: Iterable[Mapping[str, Any]], data: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """(path, code) of what these data lack or have in the wrong shape: missing | not_a_list | not_a_group."""
    for one in fields:
        path = f"{before}{one['name']}"
        value = data.get(one["name"]) if isinstance(data, Mapping) else None
        if value is None:
            there = isinstance(data, Mapping) and one["name"] in data
            if one["required"] and not (there and one["kind"] not in {"list", "group"}):
                yield path, "missing"
            elif one["kind"] == "group":
                wanted = [inner for inner in one["fields"] if inner["required"]]
                yield from ((f"{path}.{inner['name']}", "missing") for inner in wanted)
        elif one["kind"] == "list":
            if not isinstance(value, (list, tuple)):
                yield path, "not_a_list"
                continue
            for number, line in enumerate(value):
                if one["fields"] and not isinstance(line, Mapping):
                    yield f"{path}.{number}", "not_a_group"
                else:
                    yield from lacking(one["fields"], line, f"{path}.{number}.")
        elif one["kind"] == "group":
            if not isinstance(value, Mapping):
                yield path, "not_a_group"
            else:
                yield from lacking(one["fields"], value, f"{path}.")
