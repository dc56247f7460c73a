"""A GSM modem on a serial port as a road for short messages: sends, listens, and comes back after being unplugged."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import serial

from connectors.outcome import (
    BadMessage,
    ConnectorError,
    Health,
    LinkDown,
    LinkState,
    Outcome,
    PeerSilent,
    Trial,
    last_four,
)
from connectors.sms.at import AtLine, InDoubt, NoPrompt, Refused, SerialLine, Timing
from connectors.sms.failures import HOLD_RETRY, STOPPED_RETRY, Meaning, code_of, deferred, meaning_of, outcome_of
from connectors.sms.inbox import Inbox
from connectors.sms.pdu import Submit, encode_submit
from connectors.sms.startup import MEMORY_FULL, PinRules, SimStopped, prepare, read_network
from connectors.sms.transport import HealthChanged, OutSms, PartRef, SmsCaps, SmsEvent, SmsResult

logger = logging.getLogger(__name__)

DEFAULT_BAUD = 115200
STABLE_NAMES = Path("/dev/serial/by-id")

_OPENING = {
    errno.ENOENT: "modem_absent",
    errno.EACCES: "port_forbidden",
    errno.EAGAIN: "port_busy",
    errno.EBUSY: "port_busy",
}


def open_serial(device: str, baud: int) -> SerialLine:
    """Exclusive: a second process on the same modem would steal half of the answers."""
    return serial.Serial(device, baud, timeout=1.0, write_timeout=5.0, exclusive=True)


def stable_name(device: str, names: Path = STABLE_NAMES) -> str:
    """The udev name that follows the modem to another ttyUSB number; the device itself where there is none."""
    real = Path(device).resolve()
    return next((str(name) for name in sorted(names.glob("*")) if name.resolve() == real), device)


class _Pause:
    """Growing pauses between attempts to open."""

    def __init__(self, timing: Timing) -> None:
        self._first, self._most = timing.reopen_first, timing.reopen_most
        self._length = 0.0
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def grow(self) -> None:
        self._length = min(self._most, self._length * 2 or self._first)
        self._until = time.monotonic() + self._length

    def end(self) -> None:
        self._length = self._until = 0.0


class _NotNow(LinkDown):
    """The modem is there and the network is not: messages are held."""

    code = "no_network"


class ModemSms:
    """An SmsTransport. Opens the device at first use; one process and one instance per device.

    A SIM that needs a person (wrong PIN, PUK, missing) stops the modem for good: health says why, and only a new
    instance tries again.
    """

    def __init__(
        self,
        device: str,
        *,
        pin: str = "",
        baud: int = DEFAULT_BAUD,
        pin_marker: Path | None = None,
        timing: Timing | None = None,
        connect: Callable[[str, int], SerialLine] = open_serial,
    ) -> None:
        self.caps = SmsCaps()
        self.name = stable_name(device)
        self._baud = baud
        self._pin = PinRules(pin, pin_marker)
        self._timing = timing or Timing()
        self._connect = connect
        self._inbox = Inbox()
        self._pause = _Pause(self._timing)
        self._line: AtLine | None = None
        self._stopped: SimStopped | None = None
        self._health = Health(LinkState.DOWN, "not_opened")
        self._looked_at = 0.0
        self._opening = threading.Lock()
        self._sending = threading.Lock()

    def health(self) -> Health:
        """As last seen; never waits for the modem."""
        line = self._line
        if self._health.state is not LinkState.DOWN and (line is None or line.is_lost):
            return Health(LinkState.DOWN, "modem_lost")
        return self._health

    def close(self) -> None:
        with self._opening:
            self._drop()
            self._health = Health(LinkState.DOWN, "closed")

    def try_out(self) -> list[Trial]:
        """Open the device, unlock the SIM, look for the network; nothing is sent. A refused PIN is not tried again."""
        with self._sending:
            self._pause.end()
            try:
                line = self._open_line()
                self._looked_at = 0.0
                self._look_at_network(line)
            except SimStopped as error:
                return [Trial("device", True, self.name), Trial("sim", False, error.code)]
            except ConnectorError as error:
                return [Trial("device", False, f"{self.name}: {error.code}")]
        health = self._health
        words = ", ".join(health.facts.values())
        network = Trial(
            "network", health.state is LinkState.UP, words if health.state is LinkState.UP else health.reason
        )
        return [Trial("device", True, self.name), Trial("sim", True), network]

    # --- out ---

    def send(self, m: OutSms) -> SmsResult:
        try:
            parts = encode_submit(
                m.to, m.text, ref=m.concat_ref, validity=timedelta(minutes=m.validity_min), want_report=m.want_report
            )
        except BadMessage as error:
            return SmsResult(Outcome.rejected(error.code, str(error)))
        tried: list[PartRef] = []
        outcome = Outcome.accepted()
        with self._sending:
            for index, part in enumerate(parts, start=1):
                if index in m.parts_sent:
                    continue
                tried.append(self._send_part(index, part, m.attempt))
                outcome = tried[-1].outcome
                if not outcome.is_accepted:
                    break
        result = SmsResult(outcome, tuple(tried), len(parts))
        logger.info(
            "sms.tried",
            extra={
                "sms_id": m.id,
                "to": last_four(m.to),
                "verdict": outcome.verdict,
                "code": outcome.code,
                "parts": len(parts),
            },
        )
        return result

    def _send_part(self, index: int, part: Submit, attempt: int) -> PartRef:
        ref = None
        try:
            ref = self._submit(self._ready_line(), part)
            outcome = Outcome.accepted()
        except InDoubt as error:
            outcome = Outcome.unknown(error.code, str(error))
        except SimStopped as error:
            outcome = Outcome.held(STOPPED_RETRY, error.code, str(error))
        except LinkDown as error:
            outcome = Outcome.held(HOLD_RETRY, error.code, str(error))
        except PeerSilent as error:
            outcome = deferred(attempt, error.code, str(error))
        except Refused as refusal:
            self._learn_from(refusal)
            outcome = outcome_of(refusal, attempt)
        return PartRef(index, outcome, ref)

    def _submit(self, line: AtLine, part: Submit) -> int | None:
        """Once more where the first try certainly sent nothing and says nothing about why."""
        try:
            return line.submit(part.length, part.pdu)
        except NoPrompt:
            return line.submit(part.length, part.pdu)
        except Refused as refusal:
            if meaning_of(refusal) is not Meaning.RETRY_ONCE:
                raise
            return line.submit(part.length, part.pdu)

    def _learn_from(self, refusal: Refused) -> None:
        match meaning_of(refusal):
            case Meaning.SIM:
                self._stop(SimStopped(str(refusal), code=code_of(refusal)))
            case Meaning.NO_NETWORK:
                self._health = Health(LinkState.DEGRADED, "no_network", self._health.facts)
            case Meaning.MEMORY_FULL:
                self._inbox.sweep_later()
                self._looked_at = 0.0
            case _:
                logger.warning("sms.modem.refused", extra={"modem": self.name, "code": code_of(refusal)})

    # --- in ---

    def events(self, stop: Event) -> Iterator[SmsEvent]:
        told: tuple[LinkState, str] | None = None
        while not stop.is_set():
            line = self._line_if_any()
            health = self._health
            if (health.state, health.reason) != told:
                told = (health.state, health.reason)
                yield HealthChanged(health)
            if line is None:
                stop.wait(self._timing.poll)
                continue
            taken_out = self._inbox.taken_out
            try:
                yield from self._inbox.take(line)
            except ConnectorError as error:
                logger.warning("sms.modem.inbox_failed", extra={"modem": self.name, "code": error.code})
                stop.wait(self._timing.reopen_first)
            else:
                if self._health.reason == MEMORY_FULL and self._inbox.taken_out > taken_out:
                    self._looked_at = 0.0  # there may be room again
                self._inbox.wake.wait(self._timing.poll)

    # --- the link ---

    def _line_if_any(self) -> AtLine | None:
        try:
            line = self._open_line()
            self._look_at_network(line)
        except ConnectorError:
            return None
        return line

    def _ready_line(self) -> AtLine:
        line = self._open_line()
        self._look_at_network(line)
        if self._health.state is LinkState.DEGRADED:
            raise _NotNow("The modem has no network; messages wait.", code=self._health.reason)
        return line

    def _open_line(self) -> AtLine:
        """The line, opened and prepared if need be. Raises SimStopped, LinkDown or PeerSilent."""
        with self._opening:
            if self._stopped is not None:
                raise self._stopped
            if self._line is not None and not self._line.is_lost:
                return self._line
            self._drop()
            if not self._pause.is_over:
                raise LinkDown("The modem is not there; it is looked for again soon.", code=self._health.reason)
            try:
                self._line = self._open()
            except SimStopped as error:
                self._stop(error)
                raise
            except ConnectorError as error:
                self._pause.grow()
                self._health = Health(LinkState.DOWN, error.code)
                raise
            self._pause.end()
            self._looked_at = 0.0
            self._inbox.sweep_later(reopened=True)
            logger.info("sms.modem.opened", extra={"modem": self.name})
            return self._line

    def _open(self) -> AtLine:
        try:
            port = self._connect(self.name, self._baud)
        except (OSError, ValueError) as error:
            code = _OPENING.get(getattr(error, "errno", None) or 0, "modem_absent")
            raise LinkDown("The modem cannot be opened.", code=code) from error
        line = AtLine(port, self._timing, self._inbox.announce)
        try:
            prepare(line, self._pin)
        except ConnectorError:
            line.close()
            raise
        return line

    def _look_at_network(self, line: AtLine) -> None:
        now = time.monotonic()
        if self._looked_at and now - self._looked_at < self._timing.signal:
            return
        try:
            self._health = read_network(line)
        except LinkDown as error:
            self._health = Health(LinkState.DOWN, error.code)
            raise
        self._looked_at = now
        if self._health.reason == MEMORY_FULL:
            self._inbox.sweep_later()

    def _stop(self, error: SimStopped) -> None:
        self._stopped = error
        self._health = Health(LinkState.DOWN, error.code)
        logger.error("sms.modem.stopped", extra={"modem": self.name, "code": error.code})

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
