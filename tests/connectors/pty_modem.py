"""A GSM modem on a pseudo-terminal: speaks AT like one, keeps what it was given, and fails when told to.

In a test:     with PtyModem() as modem: ModemSms(modem.device) ...; modem.messages()
As a process:  python -m tests.connectors.pty_modem --device /tmp/modem --sent /tmp/sent.jsonl [--pin 1234]
               (the device is a link to the terminal; every whole message is a line {"to", "text", "parts"})
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import signal
import tempfile
import threading
import time
import tty
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.connectors.pdu_peer import SubmittedPart, deliver, join, read_submit, status_report

CTRL_Z, ESC = b"\x1a", b"\x1b"
OK, ERROR = "OK", "ERROR"

HANG_BEFORE_PROMPT = "hang before prompt"
HANG_AFTER_MESSAGE = "hang after message"
UNPLUG_AFTER_MESSAGE = "unplug after message"
UNPLUG_BEFORE_PROMPT = "unplug before prompt"


@dataclass(frozen=True)
class Message:
    """A whole text as the recipient reads it."""

    to: str
    text: str
    parts: int


@dataclass
class PtyModem:
    """`behaviours`: one for each coming AT+CMGS (an error line to answer, or a constant above); OK when used up.

    `answers`: commands (by beginning) and the line that answers them, an error or not. `deaf`: never answers anything.
    `delay`: seconds the network takes for each part. `capacity`: messages each of its memories holds.
    """

    link: Path | None = None
    pin: str = ""
    echo: bool = True
    csq: str = "21,0"
    creg: str = "0,1"
    reports: bool = True
    report_status: int = 0
    wants_acknowledgement: bool = False
    deaf: bool = False
    delay: float = 0.0
    capacity: int = 50
    behaviours: deque[str] = field(default_factory=deque)
    answers: dict[str, str] = field(default_factory=dict)
    on_message: Callable[[Message], None] = lambda _message: None

    def __post_init__(self) -> None:
        self.commands: list[str] = []
        self.parts: list[SubmittedPart] = []
        self.pdus: list[str] = []
        self.pin_tries: list[str] = []
        self.memories: dict[str, dict[int, tuple[int, str]]] = {"SM": {}, "ME": {}, "SR": {}}
        self.memory = "SM"
        self.acknowledged = 0
        self._waiting_direct: deque[str] = deque()
        self._awaiting_acknowledgement = False
        self._locked = bool(self.pin)
        self._next_ref = 250
        self._writing = threading.RLock()
        self._master = self._slave = -1
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._directory = tempfile.TemporaryDirectory(prefix="pty-modem-")
        self.device = str(self.link or Path(self._directory.name) / "modem")

    # --- plugging ---

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.unplug()
        self._directory.cleanup()

    def plug(self) -> None:
        if self._thread is not None:
            self._thread.join(timeout=5)  # it may still be busy unplugging itself
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        link = Path(self.device)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))
        self._stop = threading.Event()
        self._input, self._submitting = b"", False
        self._locked = bool(self.pin)
        self._thread = threading.Thread(
            target=self._serve, args=(self._master, self._stop), name="pty-modem", daemon=True
        )
        self._thread.start()

    def unplug(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)
        with self._writing:
            Path(self.device).unlink(missing_ok=True)
            for descriptor in (self._master, self._slave):
                if descriptor >= 0:
                    os.close(descriptor)
            self._master = self._slave = -1

    # --- the network's side ---

    def messages(self) -> list[Message]:
        """Whole messages in the order in which they became whole."""
        whole, waiting = [], {}
        for part in self.parts:
            if part.total == 1:
                whole.append(Message(part.number, join([part.text]), 1))
                continue
            key = (part.number, part.ref, part.total)
            waiting.setdefault(key, {})[part.index] = part.text
            if len(waiting[key]) == part.total:
                texts = waiting.pop(key)
                whole.append(Message(part.number, join([texts[index] for index in sorted(texts)]), part.total))
        return whole

    def store(self, pdu: str, *, memory: str = "SM", state: int = 0, announce: bool = True) -> int:
        """Put a PDU into a memory as the network would (or as somebody's draft, with state 2)."""
        index = next(number for number in range(1, 1000) if number not in self.memories[memory])
        self.memories[memory][index] = (state, pdu)
        if announce:
            self.say(f'+{"CDSI" if memory == "SR" else "CMTI"}: "{memory}",{index}')
        return index

    def receive(self, sender: str, text: str) -> None:
        self.store(deliver(sender, text))

    def pass_through(self, head: str, pdu: str) -> None:
        """+CMT or +CDS straight to the line; a phase 2+ modem holds the next until AT+CNMA."""
        line = f"{head}: {',' if head == '+CMT' else ''}{len(pdu) // 2 - 1}\r\n{pdu}"
        with self._writing:
            if self._awaiting_acknowledgement:
                self._waiting_direct.append(line)
                return
            self._awaiting_acknowledgement = self.wants_acknowledgement
            self.say(line)

    def report(self, ref: int, to: str, status: int = 0) -> None:
        self.pass_through("+CDS", status_report(ref, to, status=status))

    def abandon_prompt(self) -> None:
        """As another program left it: in the middle of a message."""
        self._submitting, self._input = True, b"0011"

    def say(self, *lines: str) -> None:
        with self._writing:
            if self._master >= 0:
                os.write(self._master, "".join(f"\r\n{line}\r\n" for line in lines).encode())

    # --- the line ---

    def _serve(self, master: int, stop: threading.Event) -> None:
        while not stop.is_set():
            readable, _w, _x = select.select([master], [], [], 0.05)
            if not readable:
                continue
            for byte in os.read(master, 4096):
                self._take(bytes([byte]))
                if stop.is_set():
                    return

    def _take(self, byte: bytes) -> None:
        if self.deaf:
            return
        if self.echo and not self._submitting:
            os.write(self._master, byte)
        if self._submitting:
            self._take_message(byte)
        elif byte == b"\r":
            line, self._input = self._input.decode("ascii", "replace").strip(), b""
            if line.upper().startswith("AT"):
                self._answer(line[2:])
        elif byte not in (b"\n", ESC):
            self._input += byte

    def _take_message(self, byte: bytes) -> None:
        if byte == ESC:
            self._submitting, self._input = False, b""
            self.say(OK)
        elif byte == CTRL_Z:
            self._submitting = False
            pdu, self._input = self._input.decode().strip(), b""
            self._submitted(pdu)
        else:
            self._input += byte

    def _answer(self, line: str) -> None:
        """Commands joined by `;` are answered together; the first error ends them."""
        for command in re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', line):
            self.commands.append(command)
            scripted = next((line for start, line in self.answers.items() if command.startswith(start)), "")
            lines = [scripted] if scripted else self._run(command.strip())
            if lines is None:
                return
            if lines and lines[-1].startswith((ERROR, "+CM")) and "ERROR" in lines[-1]:
                self.say(*lines)
                return
            if lines:
                self.say(*lines)
        self.say(OK)

    def _run(self, command: str) -> list[str] | None:
        """The lines before OK; None when the command answers by itself."""
        name, _sign, value = command.partition("=")
        simple = {
            "": [],
            "E0": [],
            "E1": [],
            "Z": [],
            "+CMEE": [],
            "+CPIN?": [f"+CPIN: {'SIM PIN' if self._locked else 'READY'}"],
            "+CSQ": [f"+CSQ: {self.csq}"],
            "+CREG?": [f"+CREG: {self.creg}"],
            "+COPS?": ['+COPS: 0,0,"CHINA MOBILE",7'],
            "+CSCA?": ['+CSCA: "+8613800100500",145'],
            "+CSCS?": ['+CSCS: "GSM"'],
            "+CSCS": ['+CSCS: ("GSM","UCS2","HEX")'] if value == "?" else [],
            "+CMGF?": ["+CMGF: 0"],
            "+CMGF": ["+CMGF: (0)"] if value == "?" else ([] if value == "0" else [ERROR]),
            "+CNMI": ["+CNMI: (0,1,2),(0,1),(0),(0,1),(0)"] if value == "?" else [],
            "+CSMS": ["+CSMS: 1,1,1"] if value else [],
            "+CSMS?": ["+CSMS: 1,1,1,1"],
            "+CPMS?": [f"+CPMS: {','.join([self._usage(quoted=True)] * 3)}"],
            "+CFUN": [],
            "+CFUN?": ["+CFUN: 1"],
            "+CGMI": ["YUNLIU"],
            "+CGMM": ["PTY900"],
            "+CGMR": ["1.0"],
            "+CGSN": ["867322020001234"],
            "+CIMI": ["460001234567890"],
            "+CLAC": ["+CMGS", "+CMGL", "+CSCS"],
        }
        if name in simple and (value or not command.endswith("=")):
            if command in ("E0", "E1", "Z"):
                self.echo = command != "E0"
            return simple[name]
        handlers: dict[str, Callable[[str], list[str] | None]] = {
            "+CPIN": self._enter_pin,
            "+CPMS": self._choose_memory,
            "+CMGL": self._list,
            "+CMGR": self._read,
            "+CMGD": self._delete,
            "+CMGS": self._prompt,
            "+CNMA": self._acknowledge,
        }
        return handlers[name](value) if name in handlers else [ERROR]

    def _enter_pin(self, value: str) -> list[str]:
        pin = value.strip('"')
        self.pin_tries.append(pin)
        if pin != self.pin:
            return [ERROR]
        self._locked = False
        return []

    def _usage(self, *, quoted: bool = False) -> str:
        used = f"{len(self.memories[self.memory])},{self.capacity}"
        return f'"{self.memory}",{used}' if quoted else used

    def _choose_memory(self, value: str) -> list[str]:
        if value == "?":
            return ['+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")']
        wanted = value.split(",", maxsplit=1)[0].strip('"')
        if wanted not in self.memories:
            return ["+CMS ERROR: 302"]
        self.memory = wanted
        return [f"+CPMS: {','.join([self._usage()] * 3)}"]

    def _list(self, value: str) -> list[str]:
        if value != "4":
            return []
        return [
            f"+CMGL: {index},{state},,{len(pdu) // 2 - 1}\r\n{pdu}"
            for index, (state, pdu) in sorted(self.memories[self.memory].items())
        ]

    def _read(self, value: str) -> list[str]:
        if int(value) not in self.memories[self.memory]:
            return ["+CMS ERROR: 321"]
        state, pdu = self.memories[self.memory][int(value)]
        return [f"+CMGR: {state},,{len(pdu) // 2 - 1}\r\n{pdu}"]

    def _delete(self, value: str) -> list[str]:
        index = int(value.split(",", maxsplit=1)[0])
        return [] if self.memories[self.memory].pop(index, None) else ["+CMS ERROR: 321"]

    def _acknowledge(self, _value: str) -> list[str]:
        if not self._awaiting_acknowledgement:
            return ["+CMS ERROR: 340"]
        self.acknowledged += 1
        with self._writing:
            self._awaiting_acknowledgement = bool(self._waiting_direct)
            if self._waiting_direct:
                threading.Timer(0.05, self.say, [self._waiting_direct.popleft()]).start()
        return []

    # --- sending ---

    def _prompt(self, value: str) -> None:
        self._length = int(value)
        behaviour = self.behaviours[0] if self.behaviours else OK
        if behaviour in (HANG_BEFORE_PROMPT, UNPLUG_BEFORE_PROMPT):
            self.behaviours.popleft()
            if behaviour == UNPLUG_BEFORE_PROMPT:
                self.unplug()
            return
        self._submitting = True
        with self._writing:
            os.write(self._master, b"\r\n> ")

    def _submitted(self, pdu: str) -> None:
        behaviour = self.behaviours.popleft() if self.behaviours else OK
        if behaviour not in (OK, HANG_AFTER_MESSAGE, UNPLUG_AFTER_MESSAGE):
            self.say(behaviour)
            return
        if len(pdu) // 2 - 1 - int(pdu[:2], 16) != self._length:
            self.say("+CMS ERROR: 304")
            return
        ref = self._accept(pdu)
        time.sleep(self.delay)
        if behaviour == UNPLUG_AFTER_MESSAGE:
            self.unplug()
        elif behaviour == OK:
            self.say(f"+CMGS: {ref}", OK)
            if self.reports and self.parts[-1].report_wanted:
                number, status = self.parts[-1].number, self.report_status
                threading.Timer(0.02, self.report, [ref, number, status]).start()

    def _accept(self, pdu: str) -> int:
        self._next_ref = (self._next_ref + 1) % 256
        self.pdus.append(pdu)
        before = len(self.messages())
        self.parts.append(read_submit(pdu))
        for message in self.messages()[before:]:
            self.on_message(message)
        return self._next_ref


def main() -> None:
    parser = argparse.ArgumentParser(description="A GSM modem on a pseudo-terminal.")
    parser.add_argument("--device", type=Path, required=True, help="link to make")
    parser.add_argument("--sent", type=Path, required=True, help="JSON lines of whole messages")
    parser.add_argument("--pin", default="")
    options = parser.parse_args()

    def keep(message: Message) -> None:
        with options.sent.open("a", encoding="utf-8") as sent:
            sent.write(json.dumps(message.__dict__, ensure_ascii=False) + "\n")

    # Waited for, not handled: the kernel may wake any thread by a signal, and Python's handlers run in the main one
    # alone, which would go on sleeping.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with PtyModem(link=options.device, pin=options.pin, on_message=keep):
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
