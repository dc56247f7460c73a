"""Starts and steps instances: lock or revision -> load -> step -> record, in the caller's transaction."""

from __future__ import annotations

from engine.runtime.delivery import (
    correlate,
    deliverable,
    fire_start_timer,
    fire_timer,
    open_incident,
    publish,
    retry_incident,
    settle_connector,
    skip_incident,
)
from engine.runtime.reschedule import reckon_dues
from engine.runtime.start import discard_draft, may_start, preview, save_draft, start
from engine.runtime.step import Step, StepResult, perform, step

__all__ = [
    "Step",
    "StepResult",
    "correlate",
    "deliverable",
    "discard_draft",
    "fire_start_timer",
    "fire_timer",
    "may_start",
    "open_incident",
    "perform",
    "preview",
    "publish",
    "reckon_dues",
    "retry_incident",
    "save_draft",
    "settle_connector",
    "skip_incident",
    "start",
    "step",
]
