"""A modem with short patience, and a pseudo-terminal to plug it into."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.sms.at import Timing
from connectors.sms.modem import ModemSms
from connectors.sms.transport import SmsEvent
from tests.connectors.pty_modem import PtyModem

IMPATIENT = Timing(
    command=1.0, prompt=0.3, final=0.5, quiet=0.05, reopen_first=0.05, reopen_most=0.2, poll=0.02, signal=0.1
)


@pytest.fixture
def peer() -> Iterator[PtyModem]:
    with PtyModem() as modem:
        yield modem


@pytest.fixture
def open_modem() -> Iterator[Callable[..., ModemSms]]:
    opened: list[ModemSms] = []

    def open_it(peer: PtyModem, **options: Any) -> ModemSms:
        opened.append(ModemSms(peer.device, timing=IMPATIENT, **options))
        return opened[-1]

    yield open_it
    for modem in opened:
        modem.close()


class Listener:
    """Runs `events` in a thread as the listener process does; `wait_for` what it gathers."""

    def __init__(self, modem: ModemSms, handle: Callable[[SmsEvent], None] = lambda _event: None) -> None:
        self.events: list[SmsEvent] = []
        self._modem = modem
        self._handle = handle
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            for event in self._modem.events(self._stop):
                with self._changed:
                    self.events.append(event)
                    self._changed.notify_all()
                try:
                    self._handle(event)
                except ValueError:
                    break  # as a listener whose transaction failed: it asks anew

    def wait_for(self, kind: type[SmsEvent], count: int = 1, seconds: float = 5.0) -> list[Any]:
        def of_kind() -> list[SmsEvent]:
            return [event for event in self.events if isinstance(event, kind)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(of_kind()) >= count, seconds), self.events
        return of_kind()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        assert not self._thread.is_alive()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    listeners: list[Listener] = []

    def start(modem: ModemSms, **options: Any) -> Listener:
        listeners.append(Listener(modem, **options))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.end()
