"""The four flows of the measurements, for our dialect and for plain SpiffWorkflow.

A: three approvals, an exclusive gateway, a loop on rejection.  B: A with a non-interrupting timer on each task and a
service task.  C: prepare, countersign of five (done at three), archive.  D: thirty nodes with gateways, a parallel
block, scripts, services and a called process.
"""

from __future__ import annotations

from typing import Any

from tests.engine.workflow.drawing import Drawing, definitions, timer

REJECTED = 'decision == "reject"'


def flow(name: str, *, plain: bool = False) -> str:
    return {"A": _a, "B": _b, "C": _c, "D": _d}[name](plain)


def _a(plain: bool, id: str = "A", hours: int = 0) -> str:
    d = Drawing(id, plain=plain)
    d.start()
    for task in ("lead", "dept", "finance"):
        d.user(task)
        if hours:
            text = f'"PT{hours}H"' if plain else f"PT{hours}H"
            d.add("boundaryEvent", f"{task}_timer", timer(text), attachedToRef=task, cancelActivity="false")
            d.service(f"{task}_escalate")
            d.end(f"{task}_escalated")
            d.chain(f"{task}_timer", f"{task}_escalate", f"{task}_escalated")
    d.add("exclusiveGateway", "decided", default="ok")
    d.end()
    d.chain("start", "lead", "dept", "finance", "decided")
    d.flow("decided", "lead", REJECTED)
    if hours:
        d.service("notify")
        d.chain("notify", "end")
    d.flow("decided", "notify" if hours else "end", id="ok")
    return d.xml()


def _b(plain: bool) -> str:
    return _a(plain, "B", hours=24)


def _c(plain: bool) -> str:
    d = Drawing("C", plain=plain)
    d.start()
    d.user("prepare")
    completed = "nr_completed" if plain else "nrOfCompletedInstances"
    loop = (
        "<multiInstanceLoopCharacteristics><loopDataInputRef>approvers</loopDataInputRef>"
        '<loopDataOutputRef>votes</loopDataOutputRef><inputDataItem id="approver" name="approver"/>'
        f'<outputDataItem id="vote" name="vote"/><completionCondition>{completed} &gt;= 3</completionCondition>'
        "</multiInstanceLoopCharacteristics>"
    )
    d.user("countersign", loop)
    d.user("archive")
    d.end()
    d.chain("start", "prepare", "countersign", "archive", "end")
    return d.xml()


def _d(plain: bool) -> str:
    d = Drawing("D", plain=plain)
    d.start("m1")
    d.script("m3", "total = 40000")
    d.script("m6", "level = 2")
    d.script("m11", "checked_a = True")
    d.script("m13", "checked_b = True")
    d.script("m16", "score = total / 100")
    d.script("m20", 'state = "archived"')
    d.script("m21", 'state = "void"')
    for task in ("m2", "m5", "m8", "m10", "m12", "m18"):
        d.user(task)
    d.add("exclusiveGateway", "m4", default="m4_m6")
    d.add("exclusiveGateway", "m7")
    d.add("parallelGateway", "m9")
    d.add("parallelGateway", "m14")
    d.add("callActivity", "m15", calledElement="D_child")
    d.service("m17")
    d.add("exclusiveGateway", "m19", default="m19_m20")
    d.end("m22")
    d.chain("m1", "m2", "m3", "m4")
    d.flow("m4", "m5", "total > 10000")
    d.chain("m4", "m6", "m7")
    d.chain("m5", "m7", "m8", "m9", "m10", "m11", "m14")
    d.chain("m9", "m12", "m13", "m14", "m15", "m16", "m17", "m18", "m19")
    d.flow("m19", "m21", REJECTED)
    d.chain("m19", "m20", "m22")
    d.chain("m21", "m22")
    return definitions(d.process() + _child(plain).process())


def _child(plain: bool) -> Drawing:
    c = Drawing("D_child", plain=plain)
    c.start("c1")
    c.script("c2", "sub = 1")
    c.user("c3")
    c.script("c4", "sub = sub + 1")
    c.add("exclusiveGateway", "c5", default="c5_c6")
    c.user("c6")
    c.service("c7")
    c.end("c8")
    c.chain("c1", "c2", "c3", "c4", "c5")
    c.flow("c5", "c7", REJECTED)
    c.chain("c5", "c6", "c7", "c8")
    return c


def payload(lines: int = 10) -> dict[str, Any]:
    """An expense form as process data, about 1.6 kB of JSON."""
    line = {"type": "hotel", "currency": "CNY", "note": "two nights, invoice attached"}
    return {
        "form": {
            "title": "Travel expense",
            "reason": "customer visit " * 4,
            "lines": [
                {"no": n, "date": f"2025-03-{n + 1:02d}", "amount": 380.5 + n, "file": f"att/{n:06d}.pdf", **line}
                for n in range(lines)
            ],
        },
        "approvers": ["u1", "u2", "u3", "u4", "u5"],
        "decision": "approve",
    }


def answer(node: str, step: int, decision: str = "approve") -> dict[str, Any]:
    """What one person enters, about 200 bytes."""
    entered = {
        "decision": decision,
        "comment": f"step {step}: checked the attached invoices and the budget line",
        "by": f"u{step % 97}",
        "at": f"2025-03-05T10:{step % 60:02d}:00Z",
    }
    return {"vote": entered} if node == "countersign" else entered
