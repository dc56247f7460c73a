"""The processes that hold a link open: each device, mailbox or exchange has one of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from webapp import bootstrap
from webapp.listeners import mail, sms, telephony
from webapp.security import organization
from webapp.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """A kind of link: which listeners these settings call for, and how to run one of them until told to stop."""

    names: Callable[[Settings], tuple[str, ...]]
    run: Callable[[Settings, str, threading.Event], None]


KINDS = (Kind(sms.names, sms.run), Kind(mail.names, mail.run), Kind(telephony.names, telephony.run))


def names(settings: Settings) -> tuple[str, ...]:
    """Every listener this house needs, each a process of its own: `yunliu listener NAME`."""
    return tuple(name for kind in KINDS for name in kind.names(settings))


def run(settings: Settings, name: str, stop: threading.Event) -> None:
    """Hold the link of this name until told to stop; without a name the first one. Nothing to hold: wait."""
    bootstrap.start(settings)
    organization.join()  # what comes in may depend on what a person may see
    for kind in KINDS:
        for known in kind.names(settings):
            if name in ("", known):
                kind.run(settings, known, stop)
                return
    logger.info("listener.nothing_to_hold", extra={"listener": name})
    stop.wait()
