"""Sums in the browser are the sums of the server: the same expressions, the same decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page

from engine.expressions import compile_expression
from tests.browser.conftest import SignIn

LINES = [
    {"amount": "0.1", "count": "3"},
    {"amount": "0.2", "count": "0.5"},
    {"amount": "12345678.99", "count": "2"},
    {"amount": None, "count": None},
]

CASES = {
    'sum(lines, "amount")': "12345679.29",
    'round(sum(lines, "amount") * 0.06, 2)': "740740.76",
    "price * count": "3.75",
    "(price + 0.01) * 2 - 1": "2.02",
    "-price": "-1.5",
    "round(1.005, 2)": "1.01",
    "round(-1.005, 2)": "-1.01",
    "max(price, count)": "2.5",
    "min(price, count)": "1.5",
    "${price + count}": "4",
    "len(lines)": "4",
    "abs(1 - price)": "0.5",
}


@pytest.fixture
def page(sign_in: SignIn) -> Page:
    opened = sign_in("wang.lei")
    opened.goto("/start")
    return opened


def in_browser(page: Page, source: str) -> Any:
    return page.evaluate(
        """async ([source, lines]) => {
            const { reckon, decimal, written } = await import('/static/app/pages/reckon.js');
            const amount = ([name, text]) => [name, text === null ? null : decimal(text)];
            const rows = lines.map(row => Object.fromEntries(Object.entries(row).map(amount)));
            return written(reckon(source, { lines: rows, price: decimal('1.5'), count: decimal('2.5') }), 0, false);
        }""",
        [source, LINES],
    )


@pytest.mark.parametrize("source", CASES)
def test_browser_and_server_agree(page: Page, source: str) -> None:
    rows = [{name: Decimal(value) if value else None for name, value in row.items()} for row in LINES]
    facts = {"lines": rows, "price": Decimal("1.5"), "count": Decimal("2.5")}
    assert Decimal(str(compile_expression(source).evaluate(facts))) == Decimal(CASES[source])
    assert Decimal(in_browser(page, source)) == Decimal(CASES[source])


@pytest.mark.parametrize(
    "source", ["today()", "price > 1 ? 1 : 2", "nobody + 1", "price / 0", "fetch(1)", "price['x']"]
)
def test_what_the_browser_does_not_know_it_leaves_to_the_server(page: Page, source: str) -> None:
    refused = page.evaluate(
        """async source => {
            const { reckon, decimal, Unknown } = await import('/static/app/pages/reckon.js');
            try { reckon(source, { price: decimal('1.5') }); } catch (error) { return error instanceof Unknown; }
            return false;
        }""",
        source,
    )
    assert refused


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("12345.6", "12,345.60"),
        ("１２，０００", "12,000.00"),
        ("-0.5", "-0.50"),
        (".25", "0.25"),
        ("1,234,567.891", "1,234,567.891"),
    ],
)
def test_amounts_are_written_for_people(page: Page, typed: str, shown: str) -> None:
    script = """async text => {
        const { decimal, written } = await import('/static/app/pages/reckon.js');
        return written(decimal(text));
    }"""
    assert page.evaluate(script, typed) == shown
