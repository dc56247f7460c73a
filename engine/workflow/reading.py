"""Small readers of one element: its extension attributes and children, its texts, its loop, timer and mappings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from engine.workflow.diagram import ACTIVITIES, EVENTS, GATEWAYS, Loop, Pass, Timer

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


def local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def tag_of(element: etree._Element) -> str:
    return str(element.tag)


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
        if local(child) in names and tag_of(child).startswith(EXTENSIONS):
            yield child


def text_of(element: etree._Element, tag: str) -> str:
    child = element.find(f"{BPMN}{tag}")
    return "".join(str(part) for part in child.itertext()).strip() if child is not None else ""


def lanes(process: etree._Element) -> dict[str, str]:
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


def candidates(extension: Mapping[str, str], lane: str) -> tuple[str, ...]:
    rules = [
        rule
        for name in ("assignee", "candidateUsers", "candidateGroups")
        for rule in split_rules(unwrapped(extension.get(name, "")))
    ]
    if not rules and _RULE.fullmatch(lane.strip()):
        rules = [lane.strip()]
    return tuple(dict.fromkeys(rules))


def mappings(element: etree._Element) -> tuple[dict[str, str], dict[str, str]]:
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for container in _extensions(element, "inputOutput"):
        for child in container:
            into = inputs if local(child) == "inputParameter" else outputs
            if not len(child):
                into[child.get("name") or ""] = (child.text or "").strip()
    return inputs, outputs


def properties(element: etree._Element) -> dict[str, str]:
    return {
        child.get("name") or "": child.get("value") or ""
        for container in _extensions(element, "properties")
        for child in container
    }


def passes(element: etree._Element, tag: str) -> Iterator[Pass]:
    for child in _extensions(element, tag):
        if child.get("variables") == "all":
            yield Pass("", "", everything=True)
        elif child.get("target"):
            yield Pass(child.get("sourceExpression") or child.get("source") or "", child.get("target") or "")


def called_business_key(element: etree._Element) -> str:
    return next(
        (child.get("businessKey") or "" for child in _extensions(element, "in") if child.get("businessKey")), ""
    )


def timer_of(element: etree._Element) -> Timer | None:
    given = [
        Timer(form, text_of(element, tag))
        for tag, form in (("timeDate", "date"), ("timeDuration", "duration"), ("timeCycle", "cycle"))
        if element.find(f"{BPMN}{tag}") is not None
    ]
    return given[0] if len(given) == 1 else None


def loop_of(element: etree._Element) -> Loop | None:
    child = element.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if child is None:
        return None
    extension = extension_attributes(child)
    item, output = child.find(f"{BPMN}inputDataItem"), child.find(f"{BPMN}outputDataItem")
    return Loop(
        sequential=child.get("isSequential") == "true",
        collection=extension.get("collection") or text_of(child, "loopDataInputRef"),
        element=extension.get("elementVariable") or _item_name(item),
        cardinality=text_of(child, "loopCardinality"),
        condition=text_of(child, "completionCondition"),
        output_collection=text_of(child, "loopDataOutputRef"),
        output_element=_item_name(output),
    )


def _item_name(item: etree._Element | None) -> str:
    return "" if item is None else (item.get("name") or item.get("id") or "")


def plain_attributes(element: etree._Element) -> dict[str, str]:
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


def oddities(element: etree._Element) -> Iterable[str]:
    """What stands inside an element and is no part of the dialect: listeners, embedded forms, connectors, loops."""
    for child in element:
        tag = local(child)
        inner = tag in NODES or tag in SILENT or tag.endswith("EventDefinition")
        if not inner and local(element) != "subProcess":
            yield tag
    container = element.find(f"{BPMN}extensionElements")
    for child in container if container is not None else ():
        tag = local(child)
        if not tag_of(child).startswith(EXTENSIONS) or tag in OWN_EXTENSIONS:
            continue
        script = next((part for part in child if local(part) == "script"), None)
        language = script.get("scriptFormat", "") if script is not None else ""
        yield f"{tag}:{language}" if language else tag
    for container in _extensions(element, "inputOutput"):
        for child in container:
            for inner_value in child:
                yield f"inputOutput:{local(inner_value)}"
