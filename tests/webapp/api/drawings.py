"""Small diagrams for the tests of the interface."""

from __future__ import annotations

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="drawing" targetNamespace="urn:tests">
"""


def drawing(key: str, inside: str, *, around: str = "") -> str:
    process = f'<bpmn:process id="{key}" name="{key}" isExecutable="true">{inside}</bpmn:process>'
    return f"{_HEAD}{around}{process}</bpmn:definitions>"


def flow(source: str, target: str) -> str:
    return f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"/>'


START, END = '<bpmn:startEvent id="start"/>', '<bpmn:endEvent id="end"/>'

WAITS_FOR_MESSAGE = drawing(
    "waits",
    START
    + '<bpmn:intermediateCatchEvent id="paid"><bpmn:messageEventDefinition messageRef="m"/>'
    + "</bpmn:intermediateCatchEvent>"
    + END
    + flow("start", "paid")
    + flow("paid", "end"),
    around='<bpmn:message id="m" name="billing.paid"/>',
)

FAILS = drawing(
    "fails",
    START
    + '<bpmn:serviceTask id="call" name="外呼" camunda:type="external" camunda:topic="tests.shaky"/>'
    + END
    + flow("start", "call")
    + flow("call", "end"),
)

POOL = drawing(
    "pool",
    START
    + '<bpmn:userTask id="work" name="处理" camunda:candidateUsers="person({people})"/>'
    + END
    + flow("start", "work")
    + flow("work", "end"),
)

BROKEN = drawing(
    "broken",
    START
    + '<bpmn:userTask id="nobody" name="无人" camunda:candidateUsers="wizard(3)"/>'
    + '<bpmn:serviceTask id="java" camunda:class="org.example.Archive"/>'
    + END
    + flow("start", "nobody")
    + flow("nobody", "java")
    + flow("java", "end"),
)
