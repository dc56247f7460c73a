"""Hostile files are refused in milliseconds."""

from __future__ import annotations

import time

import pytest

from engine import workflow
from engine.workflow import xml_guard

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "billion laughs": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><x>&l9;</x>',
    "external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "external DTD": '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd"><x/>',
    "50 MB": "<x>" + "a" * 50_000_000 + "</x>",
    "five million tags": "<x>" + "<a/>" * 1_000_000 + "</x>",
    "deep nesting": "<a>" * 50_000 + "</a>" * 50_000,
    "nesting below the parser's own limit": "<a>" * 200 + "</a>" * 200,
    "not XML": "hello",
    "nothing": "",
    "cut off": "<definitions><process",
    "unknown entity": "<x>&nope;</x>",
    "null byte": "<x>\x00</x>",
    "lone surrogate": "<x>\ud800",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_at_once(name: str) -> None:
    began = time.thread_time()
    found = workflow.lint_definition({"evil.bpmn": HOSTILE[name], "evil.dmn": HOSTILE[name]}, known=None)
    assert time.thread_time() - began < 0.25
    assert [(one.rule, one.file) for one in found] == [("xml", "evil.bpmn"), ("xml", "evil.dmn")]


def test_the_file_system_and_the_network_stay_untouched() -> None:
    with pytest.raises(xml_guard.HostileXml):
        xml_guard.parse('<?xml version="1.0"?><!DOCTYPE d SYSTEM "file:///etc/hostname"><d/>', "x")


def test_an_encoding_in_the_declaration_does_not_matter() -> None:
    root = xml_guard.parse('<?xml version="1.0" encoding="GBK"?><x name="审批"/>', "x")
    assert root.get("name") == "审批"


def test_comments_and_instructions_are_no_elements() -> None:
    root = xml_guard.parse("<x><!-- a --><?b c?><d/></x>", "x")
    assert [child.tag for child in root] == ["d"]
