"""Reads BPMN 2.0 with the `camunda:` extensions (`flowable:` and `activiti:` alike) into a Diagram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lxml import etree

from engine.errors import Problem
from engine.i18n import _
from engine.workflow import xml_guard
from engine.workflow.contract import Node
from engine.workflow.diagram import Diagram, Event, Flow, Scope, Shape
from engine.workflow.reading import (
    BPMN,
    NODES,
    SILENT,
    called_business_key,
    candidates,
    extension_attributes,
    lanes,
    local,
    loop_of,
    mappings,
    oddities,
    passes,
    plain_attributes,
    properties,
    tag_of,
    text_of,
    timer_of,
)


def read(files: Mapping[str, str], key: str | None = None) -> Diagram:
    """Read every .bpmn of a definition; `key` names the process that starts, else the first executable one does."""
    diagram = Diagram()
    roots: list[tuple[str, etree._Element]] = []
    for name, text in files.items():
        if name.endswith((".bpmn", ".bpmn20.xml")):
            try:
                roots.append((name, xml_guard.parse(text, name)))
            except xml_guard.HostileXml as refused:
                diagram.problems.append(refused.problem)
    found = [(file, root, process) for file, root in roots for process in root.iterfind(f"{BPMN}process")]
    diagram.main = _main([process for _file, _root, process in found], key)
    found.sort(key=lambda one: one[2].get("id") != diagram.main)
    taken: set[str] = set()
    for file, root, process in found:
        _Reader(diagram, file, root, taken).process(process)
    _keep_called(diagram)
    return diagram


def _keep_called(diagram: Diagram) -> None:
    """Leave out processes that the main one does not call, neither directly nor through others: foreign pools."""
    needed, todo = set[str](), [diagram.main]
    while todo:
        id = todo.pop()
        if id in diagram.processes and id not in needed:
            needed.add(id)
            todo += [shape.called for scope, shape in diagram.shapes() if scope.process == id and shape.called]
    for id in [id for id in diagram.processes if id not in needed]:
        diagram.unused[id] = diagram.scopes[diagram.processes.pop(id)].file
    diagram.scopes = {key: scope for key, scope in diagram.scopes.items() if scope.process in needed}


def _main(processes: list[etree._Element], key: str | None) -> str:
    """The process asked for, else the first that is executable and that no other one calls."""
    ids = [process.get("id", "") for process in processes]
    if key is not None:
        return key if key in ids else ""
    called = {call.get("calledElement") for process in processes for call in process.iter(f"{BPMN}callActivity")}
    runnable = [process.get("id", "") for process in processes if process.get("isExecutable") == "true"]
    return ([id for id in runnable if id not in called] or runnable or ids or [""])[0]


def called_elements(files: Mapping[str, str]) -> set[str]:
    """Ids of the processes these files call and do not contain."""
    diagram = read(files)
    called = {shape.called for _scope, shape in diagram.shapes() if shape.called}
    return called - diagram.processes.keys()


class _Reader:
    """One process of a file; `taken` are the keys given out so far over all of them."""

    def __init__(self, diagram: Diagram, file: str, root: etree._Element, taken: set[str]) -> None:
        self.diagram = diagram
        self.file = file
        self.taken = taken
        self.definitions = {
            child.get("id", ""): child for child in root if local(child) in {"message", "signal", "error", "escalation"}
        }
        self.seen: set[str] = set()

    def process(self, element: etree._Element) -> None:
        id = element.get("id", "")
        if not id or id in self.diagram.processes:
            self._problem(id or self.file, "duplicate_id", _("Two processes have the id {id}.", id=id))
            return
        scope = Scope(
            key=self._key(id, id),
            id=id,
            tag="process",
            name=element.get("name") or id,
            process=id,
            file=self.file,
            executable=element.get("isExecutable", "false") == "true",
            documentation=text_of(element, "documentation"),
        )
        self.diagram.processes[id] = scope.key
        self._fill(scope, element, lanes(element))

    def _fill(self, scope: Scope, element: etree._Element, lanes: Mapping[str, str]) -> None:
        self.diagram.scopes[scope.key] = scope
        for child in element:
            tag = local(child)
            if tag in NODES:
                self._shape(scope, child, tag, lanes)
            elif tag not in SILENT and tag_of(child).startswith(BPMN):
                self._unknown(scope, child, tag)
        keys = {shape.id: key for key, shape in scope.shapes.items()}
        for key, shape in scope.shapes.items():
            if shape.attached_to:
                scope.shapes[key] = replace(shape, attached_to=keys.get(shape.attached_to, ""))
        for child in element.iterfind(f"{BPMN}sequenceFlow"):
            self._flow(scope, child, keys)

    def _key(self, id: str, process: str) -> str:
        """The id, made unique over the files: called diagrams may use ids of the main one again."""
        key = id
        if id in self.seen:
            self._problem(id, "duplicate_id", _("The id {id} is used twice.", id=id))
            key = f"{process}:{id}:{len(self.taken)}"
        elif id in self.taken:
            key = f"{process}:{id}"
        self.seen.add(id)
        self.taken.add(key)
        return key

    def _unknown(self, scope: Scope, child: etree._Element, tag: str) -> None:
        """An element of BPMN the dialect does not run; kept as a shape so that lint can name it."""
        id = child.get("id") or tag
        node = Node(id=id, kind=tag, name=child.get("name") or "", process=scope.process, element=id)
        key = self._key(id, scope.process)
        scope.shapes[key] = Shape(key=key, tag=tag, scope=scope.key, node=node, file=self.file)

    def _flow(self, scope: Scope, element: etree._Element, ends: Mapping[str, str]) -> None:
        id = element.get("id") or f"{element.get('sourceRef')}->{element.get('targetRef')}"
        source, target = ends.get(element.get("sourceRef", "")), ends.get(element.get("targetRef", ""))
        if source is None or target is None:
            self._problem(id, "dangling_flow", _("The sequence flow {id} does not join two elements here.", id=id))
            return
        condition = text_of(element, "conditionExpression")
        scope.add(Flow(id, source, target, condition, element.get("name") or ""))

    def _shape(self, scope: Scope, element: etree._Element, tag: str, lanes: Mapping[str, str]) -> None:
        id = element.get("id") or ""
        if not id:
            self._problem(self.file, "no_id", _("An element {tag} has no id.", tag=tag))
            return
        key = self._key(id, scope.process)
        extension = extension_attributes(element)
        inputs, outputs = mappings(element)
        node = Node(
            id=key,
            kind=tag,
            name=" ".join((element.get("name") or "").split()),
            process=scope.process,
            documentation=text_of(element, "documentation"),
            form_key=extension.get("formKey", ""),
            candidates=candidates(extension, lanes.get(id, "")),
            topic=extension.get("topic", ""),
            parameters=inputs,
            result_variable=extension.get("resultVariable", ""),
            properties=properties(element),
            element=id,
            due=extension.get("dueDate", ""),
        )
        scope.shapes[key] = Shape(
            key=key,
            tag=tag,
            scope=scope.key,
            node=node,
            file=self.file,
            events=tuple(self._events(element, tag)),
            loop=loop_of(element),
            attached_to=element.get("attachedToRef", ""),
            interrupting=element.get("isInterrupting" if tag == "startEvent" else "cancelActivity", "true") != "false",
            default=element.get("default", ""),
            called=element.get("calledElement", ""),
            called_business_key=called_business_key(element),
            passed_in=tuple(passes(element, "in")),
            passed_out=tuple(passes(element, "out")),
            outputs=outputs,
            script=text_of(element, "script"),
            decision=extension.get("decisionRef", ""),
            decision_result=extension.get("mapDecisionResult", ""),
            attributes=extension | plain_attributes(element),
            oddities=tuple(oddities(element)),
        )
        if tag == "subProcess":
            inner = Scope(
                key=key,
                id=id,
                tag=tag,
                name=node.name or id,
                process=scope.process,
                file=self.file,
                parent=scope.key,
                by_event=element.get("triggeredByEvent") == "true",
            )
            self._fill(inner, element, lanes)

    def _events(self, element: etree._Element, tag: str) -> Iterator[Event]:
        if tag in {"sendTask", "receiveTask"} and element.get("messageRef"):
            yield self._referring("message", element)
        for child in element:
            name = local(child)
            if not name.endswith("EventDefinition"):
                continue
            kind = name.removesuffix("EventDefinition")
            if kind == "timer":
                yield Event(kind, timer=timer_of(child))
            elif kind in {"message", "signal", "error", "escalation"}:
                yield self._referring(kind, child)
            else:
                yield Event(kind, name=child.get("name") or "")

    def _referring(self, kind: str, element: etree._Element) -> Event:
        ref = element.get(f"{kind}Ref") or ""
        target = self.definitions.get(ref)
        attribute = {"error": "errorCode", "escalation": "escalationCode"}.get(kind, "name")
        name = "" if target is None else (target.get(attribute) or target.get("name") or "")
        return Event(kind, name=name, ref=ref if target is not None else "")

    def _problem(self, where: str, rule: str, message: object) -> None:
        self.diagram.problems.append(Problem(where=where, message=message, rule=rule, file=self.file))  # type: ignore[arg-type]
