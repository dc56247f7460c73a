"""Python source -> its syntax tree, undisturbed."""

from __future__ import annotations

import ast
import contextlib
import gc
from collections.abc import Iterator
from threading import RLock

_one = RLock()


def tree(source: str, mode: str = "exec") -> ast.AST:
    """`ast.parse`, as often as threads like. Raises what it raises."""
    with undisturbed():
        return ast.parse(source, mode=mode)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Nobody else parses meanwhile: no other thread, and nothing that the garbage collector finds.

    Pythons before 3.11.8 and 3.12.2 count the depth of the tree once for all: two that parse at once end in
    "SystemError: AST constructor recursion depth mismatch" (python/cpython issue 106905). A forgotten connection that
    the collector finds complains in the log, and Python 3.11 parses each line of a traceback to underline its place.
    """
    with _one:
        collecting = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collecting:
                gc.enable()
