"""What a template may say: names, loops, conditions and a handful of filters; Python is out of its reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

FILTER_KINDS: Mapping[str, str] = {
    "amount": "money",
    "capitals": "money",
    "date": "date",
    "number": "number",
    "picture": "picture",
}
"""Filters that tell what kind of value stands before them; their meaning is given by the caller, `picture` is ours."""
_PLAIN = ("default", "d", "first", "join", "last", "length", "count", "lower", "round", "sum", "trim", "upper")
OPTIONAL_FILTERS = frozenset({"default", "d"})

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.Filter, nodes.Test, nodes.For, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Neg, nodes.Pos, nodes.Concat,
    nodes.List, nodes.Tuple, nodes.Assign, nodes.Keyword,
)  # fmt: skip
"""No calls, no macros, no includes, no formatting by %, no powers: what is left can neither run far nor grow large."""

Filters = Mapping[str, Callable[..., Any]]


class WordLanguage(SandboxedEnvironment):
    """Jinja2 without Python: strict about what is missing, escaping what is filled in."""

    intercepted_binops = frozenset({"*"})

    def __init__(self, filters: Filters) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=True, finalize=_empty_for_none)
        self.filters = {name: self.filters[name] for name in _PLAIN} | dict(filters)
        self.globals = {}

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, (str, list, tuple)) or isinstance(right, (str, list, tuple)):
            raise SecurityError("only numbers are multiplied")
        return super().call_binop(context, operator, left, right)


def _empty_for_none(value: Any) -> Any:
    return "" if value is None else value


def forbidden(tree: nodes.Node, filters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(code, what) of everything in a parsed template that it may not say."""
    for node in (tree, *tree.find_all(nodes.Node)):
        if isinstance(node, nodes.Filter) and node.name not in filters:
            yield "unknown_filter", node.name
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            yield "not_allowed", node.attr
        elif isinstance(node, nodes.Name) and node.name.startswith("_"):
            yield "not_allowed", node.name
        elif isinstance(node, nodes.Getitem) and not _plain_key(node.arg):
            yield "not_allowed", "[ ]"
        elif isinstance(node, (nodes.Expr, nodes.Stmt, nodes.Template)) and not isinstance(node, _ALLOWED):
            yield "not_allowed", type(node).__name__.lower()


def _plain_key(arg: nodes.Expr) -> bool:
    """A position or a name that does not begin with an underscore."""
    return isinstance(arg, nodes.Const) and not str(arg.value).startswith("_")
