"""What is refused, by rule and element; and everything of a definition at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine import workflow
from engine.errors import DeploymentRefused, Problem
from engine.workflow import elements
from tests.engine.workflow.drawing import MESSAGES, Drawing, definitions, event, timer
from tests.engine.workflow.kit import KNOWN, compiled


def problems(text: str, **files: str) -> list[Problem]:
    named = {name.replace("__", "."): content for name, content in files.items()}
    return workflow.lint_definition({"main.bpmn": text, **named}, known=KNOWN)


def drawn(build: Callable[[Drawing], None], **files: str) -> set[tuple[str, str, str]]:
    """(element, rule, severity) of a process drawn between `start` and `end`."""
    d = Drawing()
    d.start()
    d.end()
    build(d)
    if not any(source == "start" for _id, source, _target, _condition in d.flows):
        d.flow("start", "end")
    found = problems(d.xml(head=MESSAGES), **files)
    for one in found:
        assert one.file == "main.bpmn"
        assert str(one.message)
    return {(one.where, one.rule, one.severity) for one in found}


def line(d: Drawing, id: str) -> None:
    d.chain("start", id, "end")


def one(tag: str, inner: str = "", **attributes: str) -> Callable[[Drawing], None]:
    def build(d: Drawing) -> None:
        d.add(tag, "it", inner, **attributes)
        line(d, "it")

    return build


ERRORS: dict[str, tuple[Callable[[Drawing], None], str]] = {
    "complex gateway": (one("complexGateway"), "unsupported.complexGateway"),
    "ad-hoc sub-process": (one("adHocSubProcess"), "unsupported.adHocSubProcess"),
    "transaction": (one("transaction"), "unsupported.transaction"),
    "element of no known kind": (one("choreographyTask"), "unsupported.choreographyTask"),
    "standard loop": (one("userTask", "<standardLoopCharacteristics/>"), "unsupported.standardLoopCharacteristics"),
    "compensation throw": (one("intermediateThrowEvent", event("compensate")), "unsupported.compensate"),
    "link throw": (one("intermediateThrowEvent", event("link")), "unsupported.link"),
    "conditional catch": (one("intermediateCatchEvent", event("conditional")), "unsupported.conditional"),
    "several definitions": (
        one("intermediateCatchEvent", event("message", "m") + event("signal", "s")),
        "unsupported.multiple",
    ),
    "compensation task": (one("task", isForCompensation="true"), "unsupported.isForCompensation"),
    "catch without a definition": (one("intermediateCatchEvent"), "event_definition"),
    "terminate in the middle": (one("intermediateThrowEvent", event("terminate")), "event_place"),
    "message without a name": (one("intermediateCatchEvent", event("message")), "message"),
    "unknown signal": (one("intermediateCatchEvent", event("signal", "nope")), "signal"),
    "receive task without message": (one("receiveTask"), "message"),
    "send task without anything": (one("sendTask"), "message"),
    "timer without time": (one("intermediateCatchEvent", "<timerEventDefinition/>"), "timer"),
    "timer in cron": (one("intermediateCatchEvent", timer("0 0 * * *", "timeCycle")), "timer"),
    "timer that is no duration": (one("intermediateCatchEvent", timer("P1Q")), "timer"),
    "cycle without pause": (one("intermediateCatchEvent", timer("R/PT0S", "timeCycle")), "timer"),
    "Java class": (one("serviceTask", camunda_class="org.acme.Pay"), "unsupported.class"),
    "delegate": (one("serviceTask", camunda_delegateExpression="${pay}"), "unsupported.delegateExpression"),
    "no topic": (one("serviceTask"), "topic"),
    "unknown topic": (one("serviceTask", camunda_type="external", camunda_topic="no.such"), "topic"),
    "service of another type": (one("serviceTask", camunda_type="mail", camunda_topic="test.notify"), "topic"),
    "missing parameter": (one("serviceTask", camunda_type="external", camunda_topic="test.greet"), "parameter"),
    "unknown rule": (one("userTask", camunda_candidateGroups="accounting"), "candidates"),
    "embedded form": (one("userTask", camunda_formKey="embedded:app:forms/x.html"), "form"),
    "unknown form": (one("userTask", camunda_formKey="claim"), "form"),
    "Java due date": (one("userTask", camunda_dueDate="${dateTime().plusWeeks(1).toDate()}"), "due"),
    "script in JavaScript": (one("scriptTask", "<script>var a = {};</script>", scriptFormat="javascript"), "script"),
    "script that sets a fact": (one("scriptTask", "<script>form = 1</script>"), "variable_name"),
    "empty script": (one("scriptTask"), "script"),
    "no decision": (one("businessRuleTask", camunda_resultVariable="x"), "decision"),
    "unknown decision": (one("businessRuleTask", camunda_decisionRef="d", camunda_resultVariable="x"), "decision"),
    "call of nobody": (one("callActivity"), "called_element"),
    "call by expression": (one("callActivity", calledElement="${which}"), "called_element"),
    "call of an unknown process": (one("callActivity", calledElement="nope"), "called_element"),
    "multi-instance of nothing": (one("task", "<multiInstanceLoopCharacteristics/>"), "multi_instance"),
    "multi-instance by a broken expression": (
        one("task", '<multiInstanceLoopCharacteristics camunda:collection="${a b}"/>'),
        "condition",
    ),
    "unknown default": (one("task", default="nope"), "default"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_refused_by_name(name: str) -> None:
    build, rule = ERRORS[name]
    assert ("it", rule, "error") in drawn(build)


def test_listeners_forms_connectors_and_structured_parameters() -> None:
    inner = (
        '<extensionElements><camunda:taskListener event="create"><camunda:script scriptFormat="javascript">x'
        "</camunda:script>"
        "</camunda:taskListener><camunda:formData/><camunda:connector/>"
        '<camunda:inputOutput><camunda:inputParameter name="a"><camunda:list/></camunda:inputParameter>'
        "</camunda:inputOutput>"
        "</extensionElements>"
    )
    rules = {rule for _where, rule, severity in drawn(one("userTask", inner)) if severity == "error"}
    assert rules == {"unsupported.taskListener", "unsupported.form", "unsupported.connector", "mapping"}


def test_flowable_and_activiti_attributes_are_read() -> None:
    d = Drawing()
    d.start()
    d.user("approve", flowable_assignee="superior")
    d.end()
    d.chain("start", "approve", "end")
    for dialect in ("http://flowable.org/bpmn", "http://activiti.org/bpmn"):
        text = d.xml().replace("flowable_", "camunda:").replace("http://camunda.org/schema/1.0/bpmn", dialect)
        assert problems(text) == []
        process = workflow.compile_definition({"m.bpmn": text}, known=KNOWN)
        assert process.nodes["approve"].candidates == ("superior",)


def test_gateways() -> None:
    def exclusive(d: Drawing) -> None:
        d.add("exclusiveGateway", "which")
        d.flow("start", "which")
        d.flow("which", "end", "${a}", id="asked")
        d.flow("which", "end", id="bare")

    assert drawn(exclusive) == {("bare", "condition", "error")}

    def open_ended(d: Drawing) -> None:
        d.add("exclusiveGateway", "which")
        d.flow("start", "which")
        d.flow("which", "end", "${a > 1}", id="one")
        d.flow("which", "end", "${a < 1}", id="two")

    assert drawn(open_ended) == {("which", "no_default", "warning")}

    def parallel(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.flow("start", "fork")
        d.flow("fork", "end", "${a}", id="asked")

    assert drawn(parallel) == {("asked", "condition", "error")}

    def race(d: Drawing) -> None:
        d.add("eventBasedGateway", "race")
        d.add("task", "it")
        d.chain("start", "race", "it", "end")

    assert drawn(race) == {("it", "event_gateway", "error")}


@pytest.mark.parametrize(
    ("yes", "no"), [("${clarified}", "${!clarified}"), ("${a >= 1}", "${a < 1}"), ("${a == b}", "${a != b}")]
)
def test_two_conditions_that_deny_each_other_need_no_default(yes: str, no: str) -> None:
    def build(d: Drawing) -> None:
        d.add("exclusiveGateway", "which")
        d.flow("start", "which")
        d.flow("which", "end", yes, id="one")
        d.flow("which", "end", no, id="two")

    assert drawn(build) == set()


def test_conditions_are_read_at_deploy() -> None:
    def build(d: Drawing) -> None:
        d.user("a", camunda_assignee="superior")
        d.flow("start", "a")
        d.flow("a", "end", "${execution.setVariable('x', 1)}", id="java")
        d.flow("a", "end", "${amount >}", id="broken")

    assert drawn(build) == {("java", "condition", "error"), ("broken", "condition", "error")}


def test_flows_and_starts() -> None:
    def build(d: Drawing) -> None:
        d.start("again")
        d.add("task", "lost")
        d.chain("again", "end")
        d.flow("start", "end")
        d.flow("end", "start", id="back")

    assert drawn(build) == {
        ("again", "several_starts", "error"),
        ("lost", "unreachable", "error"),
        ("start", "flow", "error"),
        ("end", "flow", "error"),
    }


def test_boundary_events() -> None:
    def build(d: Drawing) -> None:
        d.user("a", camunda_assignee="superior")
        d.add("boundaryEvent", "soft", event("error", "e"), attachedToRef="a", cancelActivity="false")
        d.add("boundaryEvent", "loose", timer("PT1H"))
        d.chain("soft", "end")
        d.chain("loose", "end")
        line(d, "a")

    assert drawn(build) >= {("soft", "boundary", "error"), ("loose", "boundary", "error")}


def test_a_timer_that_starts_the_process_reads_no_variables() -> None:
    def build(d: Drawing) -> None:
        d.add("startEvent", "nightly", timer("${when}", "timeDate"))
        d.chain("nightly", "end")

    assert drawn(build) == {("nightly", "timer", "error")}


def test_a_lane_is_a_rule_only_when_it_reads_like_one() -> None:
    def build(name: str) -> set[tuple[str, str, str]]:
        def inner(d: Drawing) -> None:
            d.user("a")
            line(d, "a")
            d.parts.insert(
                0,
                f'<laneSet id="@ls@"><lane id="l" name="{name}"><flowNodeRef>a</flowNodeRef></lane></laneSet>',
            )

        return drawn(inner)

    assert build("superior") == set()
    assert build("Accountant") == {("a", "nobody", "warning")}
    assert build("accounting") == {("a", "candidates", "error")}


def test_not_executable_empty_and_no_process() -> None:
    (one_problem,) = [one for one in problems(Drawing("p", executable=False).xml()) if one.rule == "not_executable"]
    assert one_problem.where == "p"
    assert "isExecutable" in str(one_problem.remedy)
    assert [one.rule for one in problems(definitions("<process id='p' isExecutable='true'/>"))] == ["empty"]
    assert [one.rule for one in problems(definitions(""))] == ["no_process"]


def test_duplicate_ids_and_dangling_flows() -> None:
    text = definitions(
        '<process id="p" isExecutable="true"><startEvent id="a"/><task id="a"/><task id="b"/>'
        '<sequenceFlow id="f" sourceRef="a" targetRef="nowhere"/>'
        '<sequenceFlow id="g" sourceRef="a" targetRef="b"/></process>'
    )
    assert {(one.where, one.rule) for one in problems(text)} >= {("a", "duplicate_id"), ("f", "dangling_flow")}


def test_everything_is_said_at_once_and_warnings_refuse_nothing() -> None:
    d = Drawing()
    d.start()
    d.user("a", camunda_assignee="nobody_known", camunda_formKey="embedded:x.html")
    d.add("serviceTask", "b", camunda_class="x.Y")
    d.end()
    d.chain("start", "a", "b", "end")
    with pytest.raises(DeploymentRefused) as refused:
        compiled(d)
    assert [(one.where, one.rule) for one in refused.value.problems] == [
        ("a", "form"),
        ("a", "candidates"),
        ("b", "unsupported.class"),
    ]
    assert all(one.remedy for one in refused.value.problems)
    d = Drawing()
    d.start()
    d.user("a")
    d.chain("start", "a")
    assert [one.severity for one in problems(d.xml())] == ["warning"]
    assert compiled(d).key == "p"


def test_a_deployed_definition_is_built_without_asking_again() -> None:
    d = Drawing()
    d.start()
    d.service("s", "gone.since")
    d.chain("start", "s")
    assert workflow.compile_definition({"m.bpmn": d.xml()}, known=None).nodes["s"].topic == "gone.since"


def test_foreign_pools_are_left_out_with_a_word() -> None:
    other = Drawing("other")
    other.add("transaction", "it")
    d = Drawing("mine")
    d.start()
    found = workflow.lint_definition({"m.bpmn": d.xml(more=other.process())}, known=KNOWN)
    assert [(one.where, one.rule, one.severity) for one in found] == [("other", "unused_process", "warning")]


def test_called_elements_names_what_is_missing() -> None:
    d = Drawing()
    d.start()
    d.add("callActivity", "c", calledElement="child")
    d.chain("start", "c")
    child = Drawing("child")
    child.start()
    assert workflow.called_elements({"m.bpmn": d.xml()}) == {"child"}
    assert workflow.called_elements({"m.bpmn": d.xml(), "c.bpmn": child.xml()}) == set()


def test_the_table_of_elements_is_what_lint_refuses() -> None:
    assert elements.REFUSED.keys() >= {
        rule.removeprefix("unsupported.")
        for _build, rule in ERRORS.values()
        if rule.startswith("unsupported.")
        and rule.split(".")[1] not in {"class", "delegateExpression", "choreographyTask"}
    }


def policies(**named: str) -> str:
    rows = "".join(f'<camunda:property name="approval.{name}" value="{value}"/>' for name, value in named.items())
    return f"<extensionElements><camunda:properties>{rows}</camunda:properties></extensionElements>"


def approval_found(build: Callable[[Drawing], None], **named: str) -> set[tuple[str, str]]:
    """(rule, severity) of what is found at the approval `it` between `start` and `end`."""

    def whole(d: Drawing) -> None:
        one("userTask", policies(**named), camunda_candidateUsers="ann")(d)
        build(d)

    return {(rule, severity) for where, rule, severity in drawn(whole) if where == "it" and rule != "candidates"}


@pytest.mark.parametrize(("name", "value"), [("due", "P1D"), ("allow", "approve,reclaim"), ("allow", "remove_signer")])
def test_a_policy_that_would_do_nothing_is_refused(name: str, value: str) -> None:
    assert approval_found(lambda _d: None, **{name: value}) == {(f"policy.{name}", "error")}


def test_a_step_that_waits_for_readers_may_circulate() -> None:
    assert approval_found(lambda _d: None, circulate="wait", allow="approve,reject") == {("policy.circulate", "error")}
    assert approval_found(lambda _d: None, circulate="wait", allow="approve,reject,circulate") == set()
    assert approval_found(lambda _d: None, circulate="wait") == set()
    assert approval_found(lambda _d: None, circulate="later") == {("policy.circulate", "error")}


def rejected(*way: str) -> Callable[[Drawing], None]:
    """A way back for what is rejected, over the elements named."""

    def build(d: Drawing) -> None:
        d.add("boundaryEvent", "no", event("error", "rejected"), attachedToRef="it")
        for tag in way:
            d.add(tag, tag)
        d.chain("no", *way, "it")

    return build


def test_who_is_rejected_for_want_of_people_does_not_go_round_in_circles() -> None:
    assert approval_found(rejected(), empty="reject") == {("policy.empty", "error")}
    assert approval_found(rejected("manualTask"), empty="reject") == {("policy.empty", "error")}
    assert approval_found(rejected("userTask"), empty="reject") == {("policy.empty", "warning")}
    assert approval_found(rejected("exclusiveGateway"), empty="reject") == {("policy.empty", "warning")}
    assert approval_found(rejected("userTask"), empty="hold") == set()
    assert approval_found(lambda _d: None, empty="reject") == set()
    assert approval_found(lambda _d: None, empty="reject", reject="starter") == {("policy.empty", "warning")}


def test_a_rejection_along_the_flow_is_followed_by_flows_alone() -> None:
    def loop(d: Drawing) -> None:
        d.user("mend", camunda_candidateUsers="ann")
        d.user("boss", camunda_candidateUsers="ann")
        d.flow("it", "boss")
        d.add("boundaryEvent", "back", event("error", "returned"), attachedToRef="boss")
        d.chain("back", "mend", "it")

    assert approval_found(loop, empty="reject", reject="flow") == set()

    def back(d: Drawing) -> None:
        d.user("mend", camunda_candidateUsers="ann")
        d.flow("it", "mend", '${outcome == "reject"}')
        d.flow("mend", "it")

    assert approval_found(back, empty="reject", reject="flow") == {("policy.empty", "warning")}
