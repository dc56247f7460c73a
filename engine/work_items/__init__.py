"""What people do with their work items, and who may do what: every road asks here."""

from __future__ import annotations

from engine.work_items.copies import (
    acknowledge,
    copy_of,
    follow,
    followers,
    mark_read,
    recall,
    send_copies,
    send_from_item,
    unacknowledged,
)
from engine.work_items.deciding import act
from engine.work_items.handover import HAND_OVER, Estate, estate, hand_over, may_hand_over
from engine.work_items.held import append, demand_version, move, too_late
from engine.work_items.instances import (
    REOPENED_EVENT,
    VOIDED_EVENT,
    change_people,
    decided,
    jump,
    preview_jump,
    reopen,
    resume,
    suspend,
    terminate,
    void,
    withdraw,
)
from engine.work_items.many import MOST, Done, attempt, bounded, decide_many, form_of, why_alone
from engine.work_items.moving import (
    add_candidate,
    assign,
    claim,
    consult,
    delegate,
    hand_to_proxy,
    release,
    resolve,
    take_back,
    transfer,
)
from engine.work_items.paper import back_date
from engine.work_items.picking import to_name
from engine.work_items.precedents import Precedent, Precedents, precedents_of
from engine.work_items.reading import (
    hidden_fields,
    open_items,
    readable_file,
    readable_files,
    readable_values,
    veiled,
)
from engine.work_items.reclaiming import actions_now, reclaim
from engine.work_items.returning import Target, targets
from engine.work_items.rights import Right, allowed_actions, instance_actions, may_read_instance, readable_among
from engine.work_items.signers import add_signers, remove_signer
from engine.work_items.silence import decide_when_due

__all__ = [
    "HAND_OVER",
    "MOST",
    "REOPENED_EVENT",
    "VOIDED_EVENT",
    "Done",
    "Estate",
    "Precedent",
    "Precedents",
    "Right",
    "Target",
    "acknowledge",
    "act",
    "actions_now",
    "add_candidate",
    "add_signers",
    "allowed_actions",
    "append",
    "assign",
    "attempt",
    "back_date",
    "bounded",
    "change_people",
    "claim",
    "consult",
    "copy_of",
    "decide_many",
    "decide_when_due",
    "decided",
    "delegate",
    "demand_version",
    "estate",
    "follow",
    "followers",
    "form_of",
    "hand_over",
    "hand_to_proxy",
    "hidden_fields",
    "instance_actions",
    "jump",
    "mark_read",
    "may_hand_over",
    "may_read_instance",
    "move",
    "open_items",
    "precedents_of",
    "preview_jump",
    "readable_among",
    "readable_file",
    "readable_files",
    "readable_values",
    "recall",
    "reclaim",
    "release",
    "remove_signer",
    "reopen",
    "resolve",
    "resume",
    "send_copies",
    "send_from_item",
    "suspend",
    "take_back",
    "targets",
    "terminate",
    "to_name",
    "too_late",
    "transfer",
    "unacknowledged",
    "veiled",
    "void",
    "why_alone",
    "withdraw",
]
