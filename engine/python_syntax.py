"""Python source -> its syntax tree, by one thread at a time."""

from __future__ import annotations

import ast
from threading import Lock

_one = Lock()


def tree(source: str, mode: str = "exec") -> ast.AST:
    """`ast.parse`, as often as threads like. Raises what it raises.

    Pythons before 3.11.8 and 3.12.2 count the depth of the tree once for all threads: two that parse at once end in
    "SystemError: AST constructor recursion depth mismatch" (python/cpython issue 106905).
    """
    with _one:
        return ast.parse(source, mode=mode)
