"""Reads a mailbox: keeps every mail before it is put away there, and has it sorted at once."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from connectors.mail.mailbox import Cursor, Fetched, MailSource, Patience
from connectors.outcome import ConnectorError, LinkState, PeerRefused
from engine import clock, delivering, health, jobs as engine_jobs, runtime, wire_tests
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from processes.messaging import jobs
from processes.messaging.operations import receiving_mail
from webapp import wires
from webapp.listeners import holding
from webapp.settings import Settings

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
IDLE_SECONDS = 60.0
"""The longest time without a look, whatever the server says or forgets to say."""
FIRST_LOOK_BACK = timedelta(days=30)
"""How much of a mailbox that is new to us, or was made anew, is read."""


def names(settings: Settings) -> tuple[str, ...]:
    """One process for each mailbox."""
    return wires.mailbox_names(settings)


def run(settings: Settings, name: str, stop: threading.Event) -> None:
    """Hold the mailbox until told to stop."""
    hold(wires.mailbox(settings, name), name, stop)


def hold(box: MailSource, name: str, stop: threading.Event) -> None:
    """Read the mailbox while the lease on it is ours."""
    duty = f"{name}:{box.name}"[:80]
    me = delivering.owner()
    CATALOG.health.clear()
    CATALOG.health[name] = lambda: (box.health().state.value, box.health().reason)
    wire_tests.TRIALS[name] = wires.trial_of_road(box)
    reading = threading.Thread(target=_read, args=(box, stop), name="mailbox", daemon=True)
    began, reported = False, -health.PERIOD
    while not stop.is_set():
        if holding.acquire(duty, me):
            if not began:
                reading.start()
                began = True
            if time.monotonic() - reported >= health.PERIOD:
                engine_jobs.report_health()
                reported = time.monotonic()
            if wire_tests.answer() and box.health().state is LinkState.DOWN:
                break  # somebody has mended it, perhaps: read at once instead of after the pause
        elif began:
            logger.error("listener.lost_its_lease", extra={"mailbox": box.name})
            break  # the supervisor starts us anew
        stop.wait(BEAT_SECONDS)
    stop.set()
    if began:
        reading.join(2 * IDLE_SECONDS)
    holding.release(duty, me)


def _read(box: MailSource, stop: threading.Event) -> None:
    """Take what is new, wait for more; after trouble a pause that grows."""
    patience = Patience()
    while not stop.is_set():
        try:
            for mail in box.fetch(_cursor(box.name), (clock.now() - FIRST_LOOK_BACK).date()):
                take(box, mail)
                patience.reset()
                if stop.is_set():
                    break
            patience.reset()
            box.wait(IDLE_SECONDS, stop)
        except ConnectorError as error:
            stop.wait(patience.after(error))
        except Exception:
            # the database is away: nothing is put away that is not kept
            logger.exception("mailbox.not_kept", extra={"mailbox": box.name})
            box.close()
            stop.wait(patience.after(ConnectorError("not kept")))
        finally:
            Sessions.remove()
    box.close()


def take(box: MailSource, mail: Fetched) -> None:
    """Keep it, put it away, then move on: killed in between, we meet it again, and it is known by its fingerprint."""
    try:
        kept = runtime.perform(lambda session: _keep(session, box, mail))
    except (DataError, UnicodeError):
        # the bytes are stored all the same: a mail that says what no database takes must not stop those behind it
        logger.exception("mailbox.kept_unread", extra={"mailbox": box.name, "uid": mail.at.uid})
        kept = runtime.perform(lambda session: _keep(session, box, mail, readable=False))
    logger.info("mailbox.taken", extra={"mailbox": box.name, "uid": mail.at.uid, "mail_id": kept})
    try:
        box.file(mail.at.uid)
    except PeerRefused:
        # it stays where it lies; waiting for it would hold up all that come after
        logger.warning("mailbox.not_filed", extra={"mailbox": box.name, "uid": mail.at.uid})
    with transaction() as session:
        receiving_mail.advance(session, box.name, mail.at.validity, mail.at.uid)
    if kept is not None:
        jobs.sort_mail()


def _keep(session: Session, box: MailSource, mail: Fetched, *, readable: bool = True) -> int | None:
    return receiving_mail.keep(
        session,
        box=box.name,
        uid_validity=mail.at.validity,
        uid=mail.at.uid,
        raw=mail.raw,
        size=mail.size,
        whole=mail.whole,
        readable=readable,
    )


def _cursor(box: str) -> Cursor:
    with transaction() as session:
        validity, uid = receiving_mail.cursor(session, box)
    Sessions.remove()
    return Cursor(validity, uid)
