"""Every table of the engine. The database is the truth; brokers and caches are hints."""

from __future__ import annotations

from engine.models.definitions import Definition, DefinitionDraft, DefinitionFile
from engine.models.instances import PENDING, Copy, Follower, FormData, InboxEntry, Instance, Participant, WorkItem
from engine.models.leaving import IdempotencyKey, Lease, OutboxAttempt, OutboxMessage, PushEvent
from engine.models.moving import InstancePreimage, MigrationItem, MigrationRun
from engine.models.traces import Attachment, InstanceLog, RecordAudit, SearchToken
from engine.models.waiting import Incident, Message, MessageWait, StartTimer, Timer
from engine.models.wires import WireGate, WireHealth, WireTest

__all__ = [
    "PENDING",
    "Attachment",
    "Copy",
    "Definition",
    "DefinitionDraft",
    "DefinitionFile",
    "Follower",
    "FormData",
    "IdempotencyKey",
    "InboxEntry",
    "Incident",
    "Instance",
    "InstanceLog",
    "InstancePreimage",
    "Lease",
    "Message",
    "MessageWait",
    "MigrationItem",
    "MigrationRun",
    "OutboxAttempt",
    "OutboxMessage",
    "Participant",
    "PushEvent",
    "RecordAudit",
    "SearchToken",
    "StartTimer",
    "Timer",
    "WireGate",
    "WireHealth",
    "WireTest",
    "WorkItem",
]
