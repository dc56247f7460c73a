"""What every diagram that ships must hold: it can be read by people and run by the engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
from lxml import etree

from engine import forms, repository, workflow
from engine.catalog import CATALOG
from engine.forms import FormSchema
from engine.service_tasks import TOPICS
from webapp import house

BPMN = Path(__file__).parents[2] / "bpmn"
DIAGRAMS = sorted(BPMN.glob("*/*.bpmn"))

NS = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "camunda": "http://camunda.org/schema/1.0/bpmn",
}
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"

pytestmark = pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)


def files_of(path: Path) -> dict[str, str]:
    return house.files_of(path)


@cache
def root_of(path: Path) -> etree._Element:
    return etree.parse(path).getroot()


def form_of(path: Path, name: str) -> FormSchema:
    return forms.check_schema(path.with_name(f"{name}.form.json").read_text("utf-8"))


def elements(path: Path, *tags: str) -> list[etree._Element]:
    found = root_of(path).xpath("|".join(f"//bpmn:{tag}" for tag in tags), namespaces=NS)
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, etree._Element)]


# ------------------------------------------------------------------------------------------------- runs


def test_the_engine_has_nothing_to_say_against_it(path: Path) -> None:
    assert workflow.lint_definition(files_of(path), known=repository.known()) == []


def test_it_belongs_to_a_process_that_a_manifest_declares(path: Path) -> None:
    declared = {process.diagram: process.key for process in CATALOG.processes.values()}
    compiled = workflow.compile_definition(files_of(path), known=repository.known())
    assert declared[f"{path.parent.name}/{path.name}"] == compiled.key


def test_every_topic_is_registered_and_given_what_it_needs(path: Path) -> None:
    for task in elements(path, "serviceTask", "sendTask"):
        topic = TOPICS[task.get(f"{CAMUNDA}topic") or ""]
        given = {str(one.get("name")) for one in task.iterfind(".//camunda:inputParameter", NS)}
        assert set(topic.required) <= given <= set(topic.parameters), task.get("id")


def test_every_candidate_rule_can_be_asked(path: Path) -> None:
    compiled = workflow.compile_definition(files_of(path), known=repository.known())
    for node in compiled.nodes.values():
        if node.kind == "userTask":
            assert node.candidates, node.id
            assert [repository.candidate_problem(rule) for rule in node.candidates] == [None] * len(node.candidates)


def test_every_user_task_has_a_form_that_knows_it(path: Path) -> None:
    tasks = elements(path, "userTask")
    ids = {task.get("id") for task in tasks}
    for task in tasks:
        form = form_of(path, task.get(f"{CAMUNDA}formKey") or "")
        assert form.steps.keys() <= ids


def test_a_choice_always_has_a_way(path: Path) -> None:
    for gateway in elements(path, "exclusiveGateway", "inclusiveGateway"):
        ways = gateway.findall("bpmn:outgoing", NS)
        assert len(ways) < 2 or gateway.get("default"), gateway.get("id")


def test_decisions_and_errors_that_are_named_exist(path: Path) -> None:
    tables = {
        str(one)
        for file in path.parent.glob("*.dmn")
        for one in etree.parse(file).xpath("//*[local-name()='decision']/@id")
    }
    assert {str(task.get(f"{CAMUNDA}decisionRef")) for task in elements(path, "businessRuleTask")} <= tables
    errors = {one.get("id") for one in elements(path, "error")}
    assert {one.get("errorRef") for one in elements(path, "errorEventDefinition")} <= errors


# ------------------------------------------------------------------------------------------------- is drawn for people


def test_every_element_is_named(path: Path) -> None:
    nameless = root_of(path).xpath(
        "//bpmn:process//*[starts-with(local-name(), 'start') or contains(local-name(), 'Event') or"
        " contains(local-name(), 'ask') or contains(local-name(), 'ateway') or local-name() = 'subProcess']"
        "[@id and not(@name) and not(contains(local-name(), 'Definition'))]/@id",
        namespaces=NS,
    )
    assert nameless == []


@dataclass(frozen=True)
class Box:
    id: str
    parent: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)

    def contains(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def boxes(path: Path) -> dict[str, Box]:
    found: dict[str, Box] = {}
    for shape in elements_di(path, "BPMNShape"):
        id_ = str(shape.get("bpmnElement"))
        bounds = shape.find("dc:Bounds", NS)
        assert bounds is not None
        x, y, width, height = (float(bounds.get(name) or 0) for name in ("x", "y", "width", "height"))
        found[id_] = Box(id_, parent_of(path, id_), x, y, x + width, y + height)
    return found


def elements_di(path: Path, tag: str) -> list[etree._Element]:
    return list(root_of(path).iterfind(f".//bpmndi:{tag}", NS))


def parent_of(path: Path, id_: str) -> str:
    element = root_of(path).find(f".//*[@id='{id_}']")
    assert element is not None
    parent = element.getparent()
    assert parent is not None
    return str(parent.get("id"))


def test_every_element_is_drawn_and_every_drawing_means_one(path: Path) -> None:
    drawn = [str(one.get("bpmnElement")) for tag in ("BPMNShape", "BPMNEdge") for one in elements_di(path, tag)]
    meant = root_of(path).xpath(
        "//bpmn:process//*[@id and not(contains(local-name(), 'Definition'))]/@id", namespaces=NS
    )
    assert isinstance(meant, list)
    assert sorted(drawn) == sorted(str(one) for one in meant)


def test_nothing_lies_on_something_else(path: Path) -> None:
    on_edges = {str(one.get("id")) for one in elements(path, "boundaryEvent")}
    apart = [box for box in boxes(path).values() if box.id not in on_edges]
    clashes = [(a.id, b.id) for a, b in combinations(apart, 2) if a.parent == b.parent and a.overlaps(b)]
    assert clashes == []


def test_what_belongs_inside_lies_inside(path: Path) -> None:
    drawn = boxes(path)
    outside = [box.id for box in drawn.values() if box.parent in drawn and not drawn[box.parent].contains(box)]
    assert outside == []


def test_flows_begin_and_end_at_their_elements(path: Path) -> None:
    drawn = boxes(path)
    for edge in elements_di(path, "BPMNEdge"):
        element = root_of(path).find(f".//*[@id='{edge.get('bpmnElement')}']")
        assert element is not None
        points = [(float(p.get("x") or 0), float(p.get("y") or 0)) for p in edge.iterfind("di:waypoint", NS)]
        for (x, y), end in ((points[0], "sourceRef"), (points[-1], "targetRef")):
            box = drawn[str(element.get(end))]
            assert box.left <= x <= box.right, (element.get("id"), end)
            assert box.top <= y <= box.bottom, (element.get("id"), end)


def test_the_happy_path_runs_from_left_to_right(path: Path) -> None:
    """Only a way back, around the picture, may run to the left."""
    drawn = boxes(path)
    back = [
        str(flow.get("id"))
        for flow in elements(path, "sequenceFlow")
        if drawn[str(flow.get("targetRef"))].right < drawn[str(flow.get("sourceRef"))].left
    ]
    returns = [str(flow.get("id")) for flow in elements(path, "sequenceFlow") if flow.get("sourceRef") == "revise"]
    assert back == returns
