"""Text of an expression -> Python syntax: the aliases of other dialects replaced, nothing judged yet."""

from __future__ import annotations

import ast
import keyword
import re

from engine.expressions.values import MAX_DIGITS, ExpressionError
from engine.i18n import _
from engine.python_syntax import tree

MAX_SOURCE = 4_000
MAX_TOKENS = 600
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"""\s+
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<operator>&&|\|\||==|!=|<=|>=|//|[-+*/%<>=!?:.,()\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = {"null": "None", "true": "True", "false": "False", "None": "None", "True": "True", "False": "False"}
_OPERATORS = {"&&": "and", "||": "or", "!": "not", "=": "=="}


def _tokens(text: str) -> list[str]:
    """The text cut into Python tokens, the aliases of other dialects replaced."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(
                _("The sign {sign} does not belong in an expression: {text}", sign=text[at], text=short(text))
            )
        at = match.end()
        token = match.group().strip()
        if not token:
            continue
        if match.lastgroup == "name" and found and found[-1] == "." and keyword.iskeyword(token):
            found[-1] = f'["{token}"]'  # a field may be named like a word of Python: form.from
            continue
        if match.lastgroup == "name":
            token = _WORDS.get(token, token)
        elif match.lastgroup == "operator":
            token = _OPERATORS.get(token, token)
        elif match.lastgroup == "number" and len(token) > MAX_DIGITS:
            raise ExpressionError(_("The number {number} is too long.", number=token[:20] + "…"))
        elif match.lastgroup == "number" and "." not in token:
            token = token.lstrip("0") or "0"
        elif match.lastgroup == "string":
            token = token.replace("\n", "\\n").replace("\r", "\\r")
        found.append(token)
    if len(found) > MAX_TOKENS:
        raise ExpressionError(_("The expression is too long: {text}", text=short(text)))
    return found


def _with_conditionals(tokens: list[str], text: str, depth: int = 0) -> list[str]:
    """Rewrite `test ? a : b` into Python's order, inside brackets first."""
    if "?" not in tokens:
        return tokens
    if depth > MAX_DEPTH:
        raise too_deep(text)
    flat: list[str] = []
    at = 0
    while at < len(tokens):
        if tokens[at] in "([":
            end = _closing(tokens, at, text)
            flat += [tokens[at], *_argument_list(tokens[at + 1 : end], text, depth), tokens[end]]
            at = end + 1
        else:
            flat.append(tokens[at])
            at += 1
    return _conditional(flat, text, depth)


def _argument_list(tokens: list[str], text: str, depth: int) -> list[str]:
    out: list[str] = []
    part: list[str] = []
    level = 0
    for token in tokens:
        level += (token in "([") - (token in ")]")
        if token == "," and level == 0:
            out += [*_with_conditionals(part, text, depth + 1), ","]
            part = []
        else:
            part.append(token)
    return out + _with_conditionals(part, text, depth + 1)


def _conditional(tokens: list[str], text: str, depth: int) -> list[str]:
    if depth > MAX_DEPTH:
        raise too_deep(text)
    level = nested = 0
    question = -1
    for at, token in enumerate(tokens):
        level += (token in "([") - (token in ")]")
        if level:
            continue
        if token == "?":
            nested += 1
            question = at if question < 0 else question
        elif token == ":" and question >= 0:
            nested -= 1
            if nested == 0:
                test, yes, no = tokens[:question], tokens[question + 1 : at], tokens[at + 1 :]
                yes, no = _conditional(yes, text, depth + 1), _conditional(no, text, depth + 1)
                return ["(", "(", *yes, ")", "if", "(", *test, ")", "else", "(", *no, ")", ")"]
    return tokens


def _closing(tokens: list[str], opening: int, text: str) -> int:
    level = 0
    for at in range(opening, len(tokens)):
        level += (tokens[at] in "([") - (tokens[at] in ")]")
        if level == 0:
            return at
    raise ExpressionError(_("A bracket is not closed: {text}", text=short(text)))


def short(text: str) -> str:
    return text.strip() if len(text) <= 80 else text.strip()[:79] + "…"


def too_deep(text: str) -> ExpressionError:
    return ExpressionError(_("The expression is nested too deeply: {text}", text=short(text)))


def parse(source: str) -> ast.expr:
    """The syntax tree of one bare expression."""
    if not source.strip():
        raise ExpressionError(_("The expression is empty."))
    python = " ".join(_with_conditionals(_tokens(source), source))
    try:
        parsed = tree(python, "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(_("This cannot be read as an expression: {text}", text=short(source))) from error
    assert isinstance(parsed, ast.Expression)
    return parsed.body
