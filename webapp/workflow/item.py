"""One work item or instance as the inbox's right pane and the instance page show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field as slot
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, policy as policies, repository, work_items
from engine.actor import Actor
from engine.errors import AppError, NotFound
from engine.forms import FormSchema
from engine.models import Attachment, Copy, Instance, WorkItem
from engine.policy import Policy
from engine.repository import Loaded
from engine.runtime.assign import is_approval
from engine.runtime.host import latest_form
from engine.work_items import (
    Right,
    Target,
    actions_now,
    allowed_actions,
    hidden_fields,
    may_read_instance,
    readable_files,
)
from engine.work_items.rights import decides, holds
from engine.workflow.contract import Node
from processes.approval.operations import urge_right
from webapp.skin import formats, words
from webapp.workflow import fields, holders, lists, processes, story
from webapp.workflow.deeds import DEEDS, MENU, Deed
from webapp.workflow.fields import FormView

DECISIONS = ("approve", "return", "reject", "abstain", "submit", "resolve")


@dataclass(frozen=True)
class Subject:
    """An instance with what every view of it needs."""

    instance: Instance
    loaded: Loaded
    schema: FormSchema | None
    values: dict[str, Any]
    items: list[WorkItem]
    name: str
    process: str
    icon: str
    summary: tuple[lists.Told, ...]


def subject(session: Session, actor: Actor, instance_id: int) -> Subject:
    """The instance, if this person may read it; NotFound otherwise: existence is a secret."""
    instance = session.get(Instance, instance_id)
    if instance is None or not may_read_instance(session, actor, instance_id):
        raise NotFound
    loaded = repository.get(session, instance.definition_id)
    return Subject(
        instance,
        loaded,
        loaded.start_form(),
        latest_form(session, instance_id)[1],
        history.items_of(session, instance_id),
        lists.name_of(instance.title),
        processes.title_of(instance.definition_key, loaded.name),
        processes.icon_of(instance.definition_key),
        lists.summary(session, instance.definition_key, instance.summary),
    )


def reading_form(session: Session, actor: Actor, seen: Subject) -> FormView:
    """The form of an instance for somebody who looks at it."""
    if seen.schema is None:
        return FormView([], [])
    return fields.view(
        session,
        actor,
        seen.schema,
        seen.values,
        rights=fields.reading(seen.schema, hidden_fields(session, actor, seen.instance)),
        instance_id=seen.instance.id,
    )


@dataclass(frozen=True)
class Typed:
    """What a person had entered when a decision was refused; shown again, never lost."""

    opinion: str = ""
    values: Mapping[str, Any] = slot(default_factory=dict)
    people: Mapping[str, Sequence[int]] = slot(default_factory=dict)
    """picked for steps to come"""
    refusal: AppError | None = None
    errors: Mapping[str, str] = slot(default_factory=dict)


@dataclass(frozen=True)
class Pane:
    """The right side of the inbox."""

    subject: Subject
    form: FormView
    voices: list[story.Voice]
    files: list[Attachment]
    item: WorkItem | None = None
    actions: tuple[Right, ...] = ()
    why: str = ""
    lies_with: str = ""
    """who has it, where that is somebody else"""
    approval: bool = False
    typed: Typed = Typed()
    targets: Sequence[Target] = ()
    """where it may go back to"""
    to_name: Sequence[Node] = ()
    """steps behind this one whose people have to be named"""
    signers: Sequence[WorkItem] = ()
    rule: Any = ""
    """when a step of several signers is decided"""
    removable: frozenset[int] = frozenset()
    """signers this person may take away"""
    policy: Policy = slot(default_factory=Policy)
    unread: Sequence[int] = ()
    """who has to acknowledge what was circulated before this step can be approved"""
    question: str = ""
    """what this person was asked, who only gives an opinion"""
    circulated: Copy | None = None
    """what asks this person to read the instance and say so"""

    @property
    def menu(self) -> list[Deed]:
        """What else may be done with it."""
        granted = {right.action for right in self.actions if right.granted}
        return [DEEDS[action] for action in MENU if action in granted]

    @property
    def back(self) -> Right | None:
        """To take the item, or one's own decision, back."""
        return next((r for r in self.actions if r.granted and r.action in ("take_back", "reclaim")), None)

    urge: Right | None = None
    """of whoever waits for the others: the button, or why not now"""

    @property
    def due(self) -> words.Word | None:
        """How the item stands, or of a whole instance the worst of what is open."""
        items = [self.item] if self.item is not None else self.subject.items
        return words.worst_due((one.due_at, one.created_at) for one in items if one.state in ("open", "delegated"))

    @property
    def decisions(self) -> list[Right]:
        """Granted deciding actions, the affirmative one last: it stands where the thumb is."""
        granted = [right for right in self.actions if right.granted and right.action in DECISIONS]
        return sorted(granted, key=lambda right: right.action in ("approve", "submit", "resolve"))

    @property
    def decides(self) -> bool:
        """It is this person's to approve: what the same got before helps with that."""
        return any(right.action == "approve" for right in self.decisions)

    @property
    def asks_where(self) -> frozenset[str]:
        """Decisions that go back somewhere, and ask where to."""
        found = set()
        if len(self.targets) > 1 or (self.targets and not self.targets[0].is_start):
            found.add("return")
        if self.policy.reject == "ask":
            found.add("reject")
        return frozenset(found)

    @property
    def may_recall(self) -> bool:
        return any(right.granted and right.action == "recall" for right in self.actions)

    @property
    def pool_action(self) -> Right | None:
        return next((r for r in self.actions if r.granted and r.action in ("claim", "release")), None)

    @property
    def remark(self) -> story.Voice | None:
        """Why the request came back, for the one who has to mend it."""
        if self.item is None or self.item.state != "open" or self.approval:
            return None
        said = [voice for voice in self.voices if not voice.waiting]
        return said[-1] if said and said[-1].deed is words.DEEDS["return"] else None

    @property
    def refusal(self) -> Any:
        """Why nothing can be decided here, when nothing can."""
        if self.item is None or self.item.state != "open" or self.decisions:
            return None
        return next((right.refusal for right in self.actions if right.refusal), None)


def of_item(session: Session, actor: Actor, item_id: int, typed: Typed | None = None) -> Pane:
    item = session.scalars(
        select(WorkItem).where(WorkItem.id == item_id).execution_options(populate_existing=True)
    ).first()
    if item is None:
        raise NotFound
    seen = subject(session, actor, item.instance_id)
    node = seen.loaded.compiled.nodes.get(item.node)
    if node is None:
        raise NotFound
    actions = actions_now(session, actor, item, node, seen.instance)
    granted = {right.action for right in actions if right.granted}
    typed = typed or Typed()
    signers = history.signers_of(session, item) if item.many else []
    formats.people(person for one in signers for person in (one.assignee_id, one.on_behalf_of))
    rule = policies.read(node.properties) if is_approval(node) else Policy()
    return Pane(
        seen,
        _step_form(session, actor, seen, node, typed) if decides(actions, node) else reading_form(session, actor, seen),
        story.voices(session, seen.instance, seen.loaded, seen.items),
        readable_files(session, actor, seen.instance),
        item,
        actions,
        holders.why(item.reason, seen.loaded),
        "" if holds(item, actor) else holders.in_short(holders.names(session, [item])[item.id]),
        is_approval(node) or "resolve" in granted,
        typed,
        work_items.targets(session, actor, seen.instance, seen.loaded, item) if _leads_back(rule, granted) else (),
        _to_name(session, actor, seen, item, granted),
        signers,
        _explained(rule, signers),
        frozenset(one.id for one in signers if _removable(one, node, seen.instance, actor)),
        rule,
        work_items.unacknowledged(session, seen.instance.id, item.token) if rule.waits_for_readers else (),
        str(item.reason.get("question") or ""),
    )


def _leads_back(rule: Policy, granted: set[str]) -> bool:
    return "return" in granted or ("reject" in granted and rule.reject == "ask")


def _explained(rule: Policy, signers: Sequence[WorkItem]) -> Any:
    counted = [one for one in signers if one.added in ("", "parallel") and one.state != "cancelled"]
    return policies.explain(rule, len(counted)) if len(counted) > 1 else ""


def _removable(one: WorkItem, node: Node, instance: Instance, actor: Actor) -> bool:
    found = allowed_actions(one, node, instance, actor)
    return any(right.action == "remove_signer" and right.granted for right in found)


def _to_name(session: Session, actor: Actor, seen: Subject, item: WorkItem, granted: set[str]) -> Sequence[Node]:
    if "approver" not in seen.loaded.picked_by or not granted & {"approve", "submit"}:
        return ()
    return work_items.to_name(session, actor, seen.instance, seen.loaded, item)


def _step_form(session: Session, actor: Actor, seen: Subject, node: Node, typed: Typed) -> FormView:
    """The form with this step's rights; without a form of its own the step reads the start form."""
    schema = seen.loaded.form_of(node.id)
    if schema is None:
        return reading_form(session, actor, seen)
    return fields.view(
        session,
        actor,
        schema,
        {**seen.values, **typed.values},
        rights=schema.rights(seen.loaded.step_of(node.id)),
        errors={name: text for name, text in typed.errors.items() if name not in ("opinion", "to", "order")},
        instance_id=seen.instance.id,
    )


def of_instance(session: Session, actor: Actor, instance_id: int) -> Pane:
    seen = subject(session, actor, instance_id)
    copy = work_items.copy_of(session, actor, instance_id)
    return Pane(
        seen,
        reading_form(session, actor, seen),
        story.voices(session, seen.instance, seen.loaded, seen.items),
        readable_files(session, actor, seen.instance),
        urge=urge_right(session, actor, seen.instance, seen.items),
        circulated=copy if copy is not None and copy.kind == "circulate" else None,
    )


def loose_files(pane: Pane) -> Sequence[Attachment]:
    """Attachments no field of the form shows."""
    shown = {file.id for one in pane.form.fields for file in one.files}
    shown |= {file.id for one in pane.form.fields for row in one.rows for cell in row for file in cell.files}
    return [file for file in pane.files if file.id not in shown]
