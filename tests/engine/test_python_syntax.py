"""Threads that read Python at the same time do not disturb one another."""

from __future__ import annotations

import ast
import gc
import threading
import time
from typing import Any

import pytest

from engine.expressions import compile_expression
from engine.python_syntax import tree


def test_one_thread_parses_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, inside, most = ast.parse, 0, 0

    def slowly(*arguments: Any, **options: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.002)  # others run meanwhile
        parsed = parse(*arguments, **options)
        inside -= 1
        return parsed

    monkeypatch.setattr(ast, "parse", slowly)
    values: list[Any] = []
    readers = [
        threading.Thread(target=lambda n=n: values.append(compile_expression(f"{n} + {n}").evaluate({})))
        for n in range(8)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert most == 1
    assert sorted(values) == [0, 2, 4, 6, 8, 10, 12, 14]


def test_what_cannot_be_parsed_lets_the_next_in() -> None:
    with pytest.raises(SyntaxError):
        tree("(")
    assert ast.unparse(tree("a+b", "eval")) == "a + b"


class Complaint:
    """What is found by the garbage collector and writes a traceback."""

    heard = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Complaint.heard += 1
        ast.parse("complains")


def test_what_the_collector_finds_does_not_parse_in_between() -> None:
    source = "a = " + " + ".join(f"f{n}(x[{n}])" for n in range(400))
    before = gc.get_threshold()
    gc.collect()
    try:
        gc.set_threshold(50)
        for _ in range(200):
            Complaint()
            tree(source)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert Complaint.heard == 200
    assert gc.isenabled()
