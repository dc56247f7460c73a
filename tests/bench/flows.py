"""The four measured flows, drawn for our dialect and for plain SpiffWorkflow from one description.

A  three approvals, an exclusive gateway, a reject loop.
B  A with a reminder timer on each task and a service task.
C  prepare, a countersign of five that is decided at three, archive.
D  thirty nodes: four exclusive gateways, a parallel block, scripts, services, a call activity, eight user tasks.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape

Dialect = Literal["yunliu", "spiff"]

_NS = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
)


@dataclass
class Drawing:
    """A process under construction; `xml()` gives its <process> element."""

    key: str
    dialect: Dialect
    nodes: list[tuple[str, str, str, str]] = field(default_factory=list)
    flows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def node(self, kind: str, id: str, inner: str = "", attributes: str = "") -> None:
        self.nodes.append((kind, id, attributes, inner))

    def chain(self, *ids: str) -> None:
        for source, target in itertools.pairwise(ids):
            self.flow(source, target)

    def flow(self, source: str, target: str, *, id: str = "", condition: str = "") -> None:
        self.flows.append((id or f"{source}_to_{target}", source, target, condition))

    def user(self, id: str, *, hours: int | None = None, approval: bool = False) -> None:
        ours = self.dialect == "yunliu"
        policy = (
            '<extensionElements><camunda:properties><camunda:property name="approval.allow" value="approve,reject"/>'
            '<camunda:property name="approval.reject" value="flow"/></camunda:properties></extensionElements>'
        )
        self.node("userTask", id, policy if approval and ours else "", 'camunda:assignee="bench(2)"' if ours else "")
        if hours is None:
            return
        duration = f"PT{hours}H" if ours else f'"PT{hours}H"'
        self.node(
            "boundaryEvent",
            f"{id}_late",
            f'<timerEventDefinition><timeDuration xsi:type="tFormalExpression">{duration}</timeDuration>'
            "</timerEventDefinition>",
            f'attachedToRef="{id}" cancelActivity="false"',
        )
        self.service(f"{id}_remind")
        self.node("endEvent", f"{id}_reminded")
        self.chain(f"{id}_late", f"{id}_remind", f"{id}_reminded")

    def service(self, id: str) -> None:
        self.node(
            "serviceTask",
            id,
            "",
            'camunda:type="external" camunda:topic="bench.notify"' if self.dialect == "yunliu" else "",
        )

    def script(self, id: str, text: str) -> None:
        language = ' scriptFormat="yunliu"' if self.dialect == "yunliu" else ""
        self.node("scriptTask", id, f"<script>{escape(text)}</script>", language)

    def condition(self, text: str) -> str:
        return f"${{{text}}}" if self.dialect == "yunliu" else text

    def xml(self) -> str:
        parts = []
        for kind, id, attributes, inner in self.nodes:
            extension, rest = ("", inner)
            if inner.startswith("<extensionElements>"):
                extension, rest = inner, ""
            ends = "".join(f"<incoming>{f[0]}</incoming>" for f in self.flows if f[2] == id)
            ends += "".join(f"<outgoing>{f[0]}</outgoing>" for f in self.flows if f[1] == id)
            parts.append(f'<{kind} id="{id}" name="{id}" {attributes}>{extension}{ends}{rest}</{kind}>')
        for id, source, target, condition in self.flows:
            inner = (
                f'<conditionExpression xsi:type="tFormalExpression">{escape(condition)}</conditionExpression>'
                if condition
                else ""
            )
            parts.append(f'<sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>')
        return f'<process id="{self.key}" name="{self.key}" isExecutable="true">{"".join(parts)}</process>'


def _file(*processes: Drawing) -> str:
    body = "".join(process.xml() for process in processes)
    return f'<?xml version="1.0" encoding="UTF-8"?><definitions {_NS} targetNamespace="urn:bench">{body}</definitions>'


def _reject(drawing: Drawing) -> str:
    return drawing.condition("outcome == 'reject'")


def flow_a(dialect: Dialect, key: str = "bench_a", hours: int | None = None) -> str:
    d = Drawing(key, dialect)
    d.node("startEvent", "start")
    for name in ("lead", "dept", "finance"):
        d.user(name, hours=hours, approval=True)
    d.node("exclusiveGateway", "decided", attributes='default="agreed"')
    d.node("endEvent", "end")
    d.chain("start", "lead", "dept", "finance", "decided")
    d.flow("decided", "lead", condition=_reject(d))
    if hours:
        d.service("notify")
        d.flow("decided", "notify", id="agreed")
        d.flow("notify", "end")
    else:
        d.flow("decided", "end", id="agreed")
    return _file(d)


def flow_b(dialect: Dialect) -> str:
    return flow_a(dialect, "bench_b", hours=24)


def flow_c(dialect: Dialect) -> str:
    d = Drawing("bench_c", dialect)
    d.node("startEvent", "start")
    d.user("prepare")
    if dialect == "yunliu":
        loop = (
            '<multiInstanceLoopCharacteristics camunda:collection="${approvers}" camunda:elementVariable="approver">'
            '<completionCondition xsi:type="tFormalExpression">${nrOfCompletedInstances &gt;= 3}</completionCondition>'
            "</multiInstanceLoopCharacteristics>"
        )
        d.node("userTask", "countersign", loop, 'camunda:assignee="bench(2)"')
    else:
        loop = (
            "<multiInstanceLoopCharacteristics><loopDataInputRef>approvers</loopDataInputRef>"
            "<loopDataOutputRef>votes</loopDataOutputRef>"
            '<inputDataItem id="approver" name="approver"/><outputDataItem id="vote" name="vote"/>'
            '<completionCondition xsi:type="tFormalExpression">nr_completed &gt;= 3</completionCondition>'
            "</multiInstanceLoopCharacteristics>"
        )
        d.node("userTask", "countersign", loop)
    d.user("archive")
    d.node("endEvent", "end")
    d.chain("start", "prepare", "countersign", "archive", "end")
    return _file(d)


def flow_d(dialect: Dialect) -> str:
    m = Drawing("bench_d", dialect)
    m.node("startEvent", "m1")
    m.user("m2")
    m.script("m3", "total = 40000")
    m.node("exclusiveGateway", "m4", attributes='default="small"')
    m.user("m5")
    m.script("m6", "level = 2")
    m.node("exclusiveGateway", "m7")
    m.user("m8")
    m.node("parallelGateway", "m9")
    m.user("m10")
    m.script("m11", "checked_a = true" if dialect == "yunliu" else "checked_a = True")
    m.user("m12")
    m.script("m13", "checked_b = true" if dialect == "yunliu" else "checked_b = True")
    m.node("parallelGateway", "m14")
    m.node("callActivity", "m15", attributes='calledElement="bench_d_child"')
    m.script("m16", "score = total / 100")
    m.service("m17")
    m.user("m18", approval=True)
    m.node("exclusiveGateway", "m19", attributes='default="kept"')
    m.script("m20", "state = 'archived'")
    m.script("m21", "state = 'void'")
    m.node("endEvent", "m22")
    m.chain("m1", "m2", "m3", "m4")
    m.flow("m4", "m5", condition=m.condition("total > 10000"))
    m.flow("m4", "m6", id="small")
    m.chain("m5", "m7")
    m.chain("m6", "m7")
    m.chain("m7", "m8", "m9")
    m.chain("m9", "m10", "m11", "m14")
    m.chain("m9", "m12", "m13", "m14")
    m.chain("m14", "m15", "m16", "m17", "m18", "m19")
    m.flow("m19", "m21", condition=_reject(m))
    m.flow("m19", "m20", id="kept")
    m.chain("m20", "m22")
    m.chain("m21", "m22")
    c = Drawing("bench_d_child", dialect)
    c.node("startEvent", "c1")
    c.script("c2", "sub = 1")
    c.user("c3")
    c.script("c4", "sub = sub + 1")
    c.node("exclusiveGateway", "c5", attributes='default="on"')
    c.user("c6")
    c.service("c7")
    c.node("endEvent", "c8")
    c.chain("c1", "c2", "c3", "c4", "c5")
    c.flow("c5", "c7", condition=_reject(c))
    c.flow("c5", "c6", id="on")
    c.chain("c6", "c7", "c8")
    return _file(m, c)


FLOWS = {"A": flow_a, "B": flow_b, "C": flow_c, "D": flow_d}
KEYS = {"A": "bench_a", "B": "bench_b", "C": "bench_c", "D": "bench_d"}
APPROVERS = ["2", "3", "4", "5", "6"]
