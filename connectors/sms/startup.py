"""Making a freshly opened modem ready: PIN, PDU mode, notifications, and the first look at the network."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from connectors.outcome import Health, LinkDown, LinkState, Misconfigured
from connectors.sms.at import AtLine, Refused

logger = logging.getLogger(__name__)

NO_SIGNAL = 99
REGISTERED = (1, 5)
"""Home network, roaming."""
MEMORY_FULL = "memory_full"
"""No room for what comes in: the network keeps it, and some modems send nothing either."""

NOTIFICATIONS = ("AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,2,0", "AT+CNMI=1,1,0,1,0", "AT+CNMI=2,1,0,0,0")
"""New messages stored and announced; status reports straight through, or stored, or (last) none."""

SIM_BUSY = 14
_MARKER_TEXT = "The SIM refused the PIN, or the attempt was cut short. Correct the PIN, then delete this file.\n"


class SimStopped(Misconfigured):
    """The SIM is unusable until a person acts: `code` says why, and this modem is left alone."""

    code = "sim"


class PinRules:
    """The PIN is entered once. Three wrong ones lock the SIM, so a wrong one is remembered, beyond this process too.

    marker: a file written before the PIN is tried and removed when the SIM has accepted it.
    """

    def __init__(self, pin: str = "", marker: Path | None = None) -> None:
        self.pin = pin
        self._marker = marker
        self._tried = False

    def check_untried(self) -> None:
        if self._tried or (self._marker is not None and self._marker.exists()):
            raise SimStopped(
                "The PIN was tried before and not accepted; it is not tried again.", code="sim_pin_refused"
            )

    def remember_try(self) -> None:
        self._tried = True
        if self._marker is not None:
            self._marker.write_text(_MARKER_TEXT, encoding="utf-8")

    def forget_try(self) -> None:
        self._tried = False
        if self._marker is not None:
            self._marker.unlink(missing_ok=True)


def prepare(line: AtLine, pin: PinRules) -> None:
    """Raises SimStopped when a person must act, LinkDown or PeerSilent when a later try may succeed."""
    line.synchronise()
    _try(line, "ATE0")
    _try(line, "AT+CMEE=1")
    _unlock(line, pin)
    _must(line, "AT+CMGF=0")
    if not any(_try(line, command) for command in NOTIFICATIONS):
        raise LinkDown("The modem accepts no way to announce messages.", code="no_notifications")


def _unlock(line: AtLine, pin: PinRules) -> None:
    state = _pin_state(line)
    if state == "READY":
        return
    if state != "SIM PIN":
        raise SimStopped(f"The SIM asks for {state}.", code="sim_puk" if "PUK" in state else "sim_locked")
    if not pin.pin:
        raise SimStopped("The SIM asks for its PIN and none is configured.", code="sim_pin_missing")
    if not re.fullmatch(r"\d{4,8}", pin.pin):
        raise SimStopped("The configured PIN is not 4 to 8 digits.", code="sim_pin_malformed")
    pin.check_untried()
    pin.remember_try()
    try:
        line.command(f'AT+CPIN="{pin.pin}"', timeout=20)
    except Refused:
        # `from None`: nothing of the exchange that carried the PIN goes into a traceback.
        raise SimStopped("The SIM refused the PIN.", code="sim_pin_refused") from None
    if _pin_state(line) != "READY":
        raise SimStopped("The SIM refused the PIN.", code="sim_pin_refused")
    pin.forget_try()
    logger.info("sms.modem.unlocked")


def _pin_state(line: AtLine) -> str:
    try:
        lines = line.command("AT+CPIN?")
    except Refused as refusal:
        if refusal.number == SIM_BUSY:
            raise LinkDown("The SIM is still starting.", code="sim_busy") from refusal
        raise SimStopped("The modem finds no usable SIM.", code="sim_missing") from refusal
    for text in lines:
        if match := re.match(r"\+CPIN:\s*(.+)", text):
            return match[1]
    raise LinkDown("The modem did not say whether the SIM is open.", code="sim_unclear")


def _try(line: AtLine, command: str) -> bool:
    try:
        line.command(command)
    except Refused:
        return False
    return True


def _must(line: AtLine, command: str) -> None:
    if not _try(line, command):
        raise LinkDown(f"The modem refused {command}.", code="not_ready")


def read_network(line: AtLine) -> Health:
    """Signal, registration, operator and room for what comes in, as the modem sees them now."""
    signal = _numbers(line, "AT+CSQ", "+CSQ", at=0)
    registration = _numbers(line, "AT+CREG?", "+CREG", at=1)
    facts = {"operator": operator} if (operator := _operator(line)) else {}
    if signal is not None and signal != NO_SIGNAL:
        facts["signal_dbm"] = str(2 * signal - 113)
    if registration is not None and registration not in REGISTERED:
        return Health(LinkState.DEGRADED, "not_registered", facts)
    if signal == NO_SIGNAL:
        return Health(LinkState.DEGRADED, "no_signal", facts)
    if _is_full(line):
        return Health(LinkState.DOWN, MEMORY_FULL, facts)
    return Health(LinkState.UP, "", facts)


def _is_full(line: AtLine) -> bool:
    """Whether the memory that received messages go to has no room; the third of `+CPMS: name,used,total,…`."""
    fields = _fields(line, "AT+CPMS?", "+CPMS")
    if len(fields) < 9:
        return False
    used, total = _number(fields[7]), _number(fields[8])
    return used is not None and total is not None and used >= total > 0


def _numbers(line: AtLine, command: str, head: str, *, at: int) -> int | None:
    """One number of an answer; None when this modem does not tell."""
    fields = _fields(line, command, head)
    return _number(fields[at]) if len(fields) > at else None


def _fields(line: AtLine, command: str, head: str) -> list[str]:
    """What stands between the commas of an answer; nothing when this modem does not know the command."""
    try:
        lines = line.command(command)
    except Refused:
        return []
    told = next((text for text in lines if text.startswith(f"{head}:")), "")
    return told.removeprefix(f"{head}:").split(",") if told else []


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[0-9]{1,9}\s*", text) else None


def _operator(line: AtLine) -> str:
    try:
        lines = line.command("AT+COPS?")
    except Refused:
        return ""
    return next((match[1] for text in lines if (match := re.match(r'\+COPS:.*"([^"]*)"', text))), "")
