"""Draws small diagrams for tests: the same graph for our dialect and for plain SpiffWorkflow."""

from __future__ import annotations

from html import escape
from itertools import pairwise

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
)


class Drawing:
    """A process under construction; `plain` leaves our extensions out."""

    def __init__(self, id: str = "p", *, plain: bool = False, executable: bool = True) -> None:
        self.id = id
        self.plain = plain
        self.executable = executable
        self.parts: list[str] = []
        self.flows: list[tuple[str, str, str, str]] = []
        self.order: list[str] = []

    def add(self, tag: str, id: str, inner: str = "", **attributes: str) -> str:
        given = "".join(f' {_attribute(name)}="{escape(value)}"' for name, value in attributes.items())
        self.parts.append(f'<{tag} id="{id}"{given}>@{id}@{inner}</{tag}>')
        self.order.append(id)
        return id

    def start(self, id: str = "start") -> str:
        return self.add("startEvent", id)

    def end(self, id: str = "end", inner: str = "") -> str:
        return self.add("endEvent", id, inner)

    def user(self, id: str, inner: str = "", **attributes: str) -> str:
        return self.add("userTask", id, inner, **attributes)

    def service(self, id: str, topic: str = "test.notify", inner: str = "", **attributes: str) -> str:
        mine = {} if self.plain else {"camunda_type": "external", "camunda_topic": topic}
        return self.add("serviceTask", id, inner, **mine, **attributes)

    def script(self, id: str, text: str) -> str:
        return self.add("scriptTask", id, f"<script>{escape(text)}</script>")

    def flow(self, source: str, target: str, condition: str = "", id: str = "") -> str:
        id = id or f"{source}_{target}"
        self.flows.append((id, source, target, condition))
        return id

    def chain(self, *ids: str) -> None:
        for source, target in pairwise(ids):
            self.flow(source, target)

    def body(self) -> str:
        out = []
        for part in self.parts:
            id = part.split("@")[1]
            edges = "".join(f"<incoming>{flow[0]}</incoming>" for flow in self.flows if flow[2] == id)
            edges += "".join(f"<outgoing>{flow[0]}</outgoing>" for flow in self.flows if flow[1] == id)
            out.append(part.replace(f"@{id}@", edges, 1))
        for id, source, target, condition in self.flows:
            test = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
            out.append(f'<sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}">{test}</sequenceFlow>')
        return "".join(out)

    def process(self) -> str:
        executable = str(self.executable).lower()
        return f'<process id="{self.id}" name="{self.id}" isExecutable="{executable}">{self.body()}</process>'

    def xml(self, *, head: str = "", more: str = "") -> str:
        return definitions(head + self.process() + more)


def definitions(content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><definitions {NAMESPACES} id="d">{content}</definitions>'


def _attribute(name: str) -> str:
    return name.replace("camunda_", "camunda:")


def timer(text: str, form: str = "timeDuration") -> str:
    return f"<timerEventDefinition><{form}>{escape(text)}</{form}></timerEventDefinition>"


def event(kind: str, ref: str = "") -> str:
    reference = f' {kind}Ref="{ref}"' if ref else ""
    return f"<{kind}EventDefinition{reference}/>"


MESSAGES = (
    '<message id="m" name="paid"/><message id="m2" name="refused"/><signal id="s" name="stop"/>'
    '<error id="e" errorCode="broken"/><error id="returned" errorCode="returned"/>'
    '<error id="rejected" errorCode="rejected"/><escalation id="x" escalationCode="late"/>'
)
