"""Checked syntax -> closures; whatever is not on the whitelist is refused."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from engine.expressions import values
from engine.expressions.functions import FUNCTIONS, SPECIAL_FORMS
from engine.expressions.syntax import MAX_DEPTH, parse, short, too_deep
from engine.expressions.values import ExpressionError
from engine.i18n import _

Names = Mapping[str, Any]
Code = Callable[[Names], Any]


def compile_bare(source: str) -> tuple[Code, frozenset[str]]:
    """The code of one bare expression and the variables it reads."""
    compiler = _Compiler(source)
    code = compiler.compile(parse(source))
    return code, frozenset(compiler.names)


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: values.add,
    ast.Sub: values.subtract,
    ast.Mult: values.multiply,
    ast.Div: values.divide,
    ast.FloorDiv: values.floor_divide,
    ast.Mod: values.modulo,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: values.equal,
    ast.NotEq: lambda a, b: not values.equal(a, b),
    ast.Lt: lambda a, b: values.order(a, b) < 0,
    ast.LtE: lambda a, b: values.order(a, b) <= 0,
    ast.Gt: lambda a, b: values.order(a, b) > 0,
    ast.GtE: lambda a, b: values.order(a, b) >= 0,
    ast.In: values.within,
    ast.NotIn: lambda a, b: not values.within(a, b),
}


class _Compiler:
    """Turns checked syntax into closures; whatever it does not know is refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()

    def compile(self, node: ast.expr, depth: int = 0) -> Code:
        if depth > MAX_DEPTH:
            raise too_deep(self.text)
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None:
            raise ExpressionError(_("This is not allowed in an expression: {text}", text=short(self.text)))
        code: Code = method(node, depth + 1)
        return code

    def _constant(self, node: ast.Constant, depth: int) -> Code:
        value = values.from_literal(node.value)
        return lambda names: value

    def _name(self, node: ast.Name, depth: int) -> Code:
        name = node.id
        self.names.add(name)

        def read(names: Names) -> Any:
            try:
                return names[name]
            except KeyError:
                raise values.UnknownName(name) from None

        return read

    def _attribute(self, node: ast.Attribute, depth: int) -> Code:
        of, key = self.compile(node.value, depth), node.attr
        if key.startswith("__"):
            raise ExpressionError(_("This is not allowed in an expression: {text}", text=short(self.text)))
        return lambda names: values.member(of(names), key)

    def _subscript(self, node: ast.Subscript, depth: int) -> Code:
        of, index = self.compile(node.value, depth), self.compile(node.slice, depth)
        return lambda names: values.item(of(names), index(names))

    def _list(self, node: ast.List, depth: int) -> Code:
        parts = [self.compile(part, depth) for part in node.elts]
        return lambda names: [part(names) for part in parts]

    def _binop(self, node: ast.BinOp, depth: int) -> Code:
        operation = _BINARY.get(type(node.op))
        if operation is None:
            raise ExpressionError(_("This is not allowed in an expression: {text}", text=short(self.text)))
        left, right = self.compile(node.left, depth), self.compile(node.right, depth)
        return lambda names: operation(left(names), right(names))

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> Code:
        of = self.compile(node.operand, depth)
        if isinstance(node.op, ast.Not):
            return lambda names: not values.truth(of(names))
        sign = -1 if isinstance(node.op, ast.USub) else 1
        return lambda names: values.multiply(sign, of(names))

    def _boolop(self, node: ast.BoolOp, depth: int) -> Code:
        parts = [self.compile(part, depth) for part in node.values]
        if isinstance(node.op, ast.And):
            return lambda names: all(values.truth(part(names)) for part in parts)
        return lambda names: any(values.truth(part(names)) for part in parts)

    def _compare(self, node: ast.Compare, depth: int) -> Code:
        if any(type(operator) not in _COMPARE for operator in node.ops):
            raise ExpressionError(_("This is not allowed in an expression: {text}", text=short(self.text)))
        tests = [_COMPARE[type(operator)] for operator in node.ops]
        sides = [self.compile(side, depth) for side in (node.left, *node.comparators)]
        if len(sides) == 2:
            left, right = sides
            test = tests[0]
            return lambda names: test(left(names), right(names))

        def chain(names: Names) -> bool:
            before = sides[0](names)
            for compare, side in zip(tests, sides[1:], strict=True):
                after = side(names)
                if not compare(before, after):
                    return False
                before = after
            return True

        return chain

    def _ifexp(self, node: ast.IfExp, depth: int) -> Code:
        test, yes, no = (self.compile(part, depth) for part in (node.test, node.body, node.orelse))
        return lambda names: yes(names) if values.truth(test(names)) else no(names)

    def _call(self, node: ast.Call, depth: int) -> Code:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise ExpressionError(
                _("Only the published functions can be called, by name: {text}", text=short(self.text))
            )
        name = node.func.id
        arguments = [self.compile(argument, depth) for argument in node.args]
        if name in SPECIAL_FORMS:
            form = SPECIAL_FORMS[name]
            return lambda names: form(arguments, names)
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(
                _("There is no function {name}; there are: {known}", name=name, known=", ".join(sorted(FUNCTIONS)))
            )
        function.check_count(len(arguments))
        call = function.call
        return lambda names: call(*[argument(names) for argument in arguments])
