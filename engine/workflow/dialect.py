"""Reads BPMN 2.0 with the `camunda:` extensions (`flowable:` and `activiti:` alike) into a Diagram."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lxml import etree

from engine.errors import Problem
from engine.i18n import _
from engine.workflow import xml_guard
from engine.workflow.contract import Node
from engine.workflow.diagram import ACTIVITIES, EVENTS, GATEWAYS, Diagram, Event, Flow, Loop, Pass, Scope, Shape, Timer

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
EXTENSIONS = (
    "{http://camunda.org/schema/1.0/bpmn}",
    "{http://flowable.org/bpmn}",
    "{http://activiti.org/bpmn}",
)
NODES = ACTIVITIES | GATEWAYS | EVENTS
SILENT = frozenset({
    "incoming", "outgoing", "documentation", "extensionElements", "sequenceFlow", "laneSet", "association", "group",
    "textAnnotation", "dataObject", "dataObjectReference", "property", "dataInputAssociation", "dataOutputAssociation",
    "ioSpecification", "multiInstanceLoopCharacteristics", "script", "auditing", "monitoring", "category",
    "potentialOwner", "rendering", "correlationSubscription", "artifact",
})  # fmt: skip
"""Children that say nothing about running, or that the reader takes in by name."""
OWN_EXTENSIONS = frozenset({"inputOutput", "properties", "in", "out"})


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
            documentation=_text(element, "documentation"),
        )
        self.diagram.processes[id] = scope.key
        self._fill(scope, element, _lanes(element))

    def _fill(self, scope: Scope, element: etree._Element, lanes: Mapping[str, str]) -> None:
        self.diagram.scopes[scope.key] = scope
        for child in element:
            tag = local(child)
            if tag in NODES:
                self._shape(scope, child, tag, lanes)
            elif tag not in SILENT and child.tag.startswith(BPMN):
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
        condition = _text(element, "conditionExpression")
        scope.add(Flow(id, source, target, condition, element.get("name") or ""))

    def _shape(self, scope: Scope, element: etree._Element, tag: str, lanes: Mapping[str, str]) -> None:
        id = element.get("id") or ""
        if not id:
            self._problem(self.file, "no_id", _("An element {tag} has no id.", tag=tag))
            return
        key = self._key(id, scope.process)
        extension = extension_attributes(element)
        inputs, outputs = _mappings(element)
        node = Node(
            id=key,
            kind=tag,
            name=" ".join((element.get("name") or "").split()),
            process=scope.process,
            documentation=_text(element, "documentation"),
            form_key=extension.get("formKey", ""),
            candidates=_candidates(extension, lanes.get(id, "")),
            topic=extension.get("topic", ""),
            parameters=inputs,
            result_variable=extension.get("resultVariable", ""),
            properties=_properties(element),
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
            loop=_loop(element),
            attached_to=element.get("attachedToRef", ""),
            interrupting=element.get("isInterrupting" if tag == "startEvent" else "cancelActivity", "true") != "false",
            default=element.get("default", ""),
            called=element.get("calledElement", ""),
            called_business_key=_called_business_key(element),
            passed_in=tuple(_passes(element, "in")),
            passed_out=tuple(_passes(element, "out")),
            outputs=outputs,
            script=_text(element, "script"),
            decision=extension.get("decisionRef", ""),
            decision_result=extension.get("mapDecisionResult", ""),
            attributes=extension | _plain(element),
            oddities=tuple(_oddities(element)),
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
                yield Event(kind, timer=_timer(child))
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


# ------------------------------------------------------------------------------------------------ small readers


def local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def extension_attributes(element: etree._Element) -> dict[str, str]:
    """The camunda:, flowable: and activiti: attributes of an element, the first dialect winning."""
    found: dict[str, str] = {}
    for prefix in reversed(EXTENSIONS):
        for name, value in element.attrib.items():
            if str(name).startswith(prefix):
                found[str(name)[len(prefix) :]] = str(value)
    return found


def _extensions(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    container = element.find(f"{BPMN}extensionElements")
    for child in container if container is not None else ():
        if local(child) in names and child.tag.startswith(EXTENSIONS):
            yield child


def _text(element: etree._Element, tag: str) -> str:
    child = element.find(f"{BPMN}{tag}")
    return "".join(str(part) for part in child.itertext()).strip() if child is not None else ""


def _lanes(process: etree._Element) -> dict[str, str]:
    """Element id -> the name of its innermost lane."""
    found: dict[str, str] = {}
    for lane in process.iter(f"{BPMN}lane"):
        for ref in lane.iterfind(f"{BPMN}flowNodeRef"):
            found[(ref.text or "").strip()] = lane.get("name") or ""
    return found


def unwrapped(text: str) -> str:
    """`${rule}` and `rule` are the same."""
    match = re.fullmatch(r"\s*[$#]\{(.*)\}\s*", text, re.DOTALL)
    return (match[1] if match else text).strip()


def split_rules(text: str) -> list[str]:
    """Assignment rules separated by commas that stand outside of brackets."""
    return [unwrapped(part) for part in re.split(r",(?![^(]*\))", text) if part.strip()]


_RULE = re.compile(r"[a-z_][a-z0-9_]*(\([^()]*\))?")
"""A lane counts as a rule when it reads like one; "Accountant" is only a heading."""


def _candidates(extension: Mapping[str, str], lane: str) -> tuple[str, ...]:
    rules = [
        rule
        for name in ("assignee", "candidateUsers", "candidateGroups")
        for rule in split_rules(unwrapped(extension.get(name, "")))
    ]
    if not rules and _RULE.fullmatch(lane.strip()):
        rules = [lane.strip()]
    return tuple(dict.fromkeys(rules))


def _mappings(element: etree._Element) -> tuple[dict[str, str], dict[str, str]]:
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for container in _extensions(element, "inputOutput"):
        for child in container:
            into = inputs if local(child) == "inputParameter" else outputs
            if not len(child):
                into[child.get("name") or ""] = (child.text or "").strip()
    return inputs, outputs


def _properties(element: etree._Element) -> dict[str, str]:
    return {
        child.get("name") or "": child.get("value") or ""
        for container in _extensions(element, "properties")
        for child in container
    }


def _passes(element: etree._Element, tag: str) -> Iterator[Pass]:
    for child in _extensions(element, tag):
        if child.get("variables") == "all":
            yield Pass("", "", everything=True)
        elif child.get("target"):
            yield Pass(child.get("sourceExpression") or child.get("source") or "", child.get("target") or "")


def _called_business_key(element: etree._Element) -> str:
    return next(
        (child.get("businessKey") or "" for child in _extensions(element, "in") if child.get("businessKey")), ""
    )


def _timer(element: etree._Element) -> Timer | None:
    given = [
        Timer(form, _text(element, tag))
        for tag, form in (("timeDate", "date"), ("timeDuration", "duration"), ("timeCycle", "cycle"))
        if element.find(f"{BPMN}{tag}") is not None
    ]
    return given[0] if len(given) == 1 else None


def _loop(element: etree._Element) -> Loop | None:
    child = element.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if child is None:
        return None
    extension = extension_attributes(child)
    item, output = child.find(f"{BPMN}inputDataItem"), child.find(f"{BPMN}outputDataItem")
    return Loop(
        sequential=child.get("isSequential") == "true",
        collection=extension.get("collection") or _text(child, "loopDataInputRef"),
        element=extension.get("elementVariable") or _item_name(item),
        cardinality=_text(child, "loopCardinality"),
        condition=_text(child, "completionCondition"),
        output_collection=_text(child, "loopDataOutputRef"),
        output_element=_item_name(output),
    )


def _item_name(item: etree._Element | None) -> str:
    return "" if item is None else (item.get("name") or item.get("id") or "")


def _plain(element: etree._Element) -> dict[str, str]:
    """Attributes of BPMN itself that lint asks about."""
    asked = (
        "isForCompensation",
        "parallelMultiple",
        "instantiate",
        "scriptFormat",
        "eventGatewayType",
        "implementation",
    )
    return {name: element.get(name) or "" for name in asked if element.get(name)}


def _oddities(element: etree._Element) -> Iterable[str]:
    """What stands inside an element and is no part of the dialect: listeners, embedded forms, connectors, loops."""
    for child in element:
        tag = local(child)
        inner = tag in NODES or tag in SILENT or tag.endswith("EventDefinition")
        if not inner and local(element) != "subProcess":
            yield tag
    container = element.find(f"{BPMN}extensionElements")
    for child in container if container is not None else ():
        tag = local(child)
        if not child.tag.startswith(EXTENSIONS) or tag in OWN_EXTENSIONS:
            continue
        script = next((part for part in child if local(part) == "script"), None)
        language = script.get("scriptFormat", "") if script is not None else ""
        yield f"{tag}:{language}" if language else tag
    for container in _extensions(element, "inputOutput"):
        for child in container:
            for inner_value in child:
                yield f"inputOutput:{local(inner_value)}"
