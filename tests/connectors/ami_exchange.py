"""A small Asterisk: speaks AMI over a socket, plays event lists, answers actions as Asterisk 22 does."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from connectors.telephony.ami.codec import Message, Reader

GREETING = b"Asterisk Call Manager/9.0.0\r\n"
SECRET = "geheim-42"


class AmiExchange:
    """Use as a context manager; `url` is where it listens.

    originated: what it plays after each Originate: call id -> event lists, one after another.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.actions: list[Message] = []
        self.logins: list[float] = []
        self.channels: list[dict[str, str]] = []
        self.members: list[dict[str, str]] = []
        self.originated: Callable[[str], list[dict[str, str]]] = lambda _call_id: []
        self.answers: dict[str, str] = {}
        """action -> error message instead of Success"""
        self.silent: set[str] = set()
        """actions that get no answer"""
        self.refuse_login = False
        self.hung = False
        self.lists = True
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._clients: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closed = False

    @property
    def url(self) -> str:
        return f"{'amis' if self._tls else 'ami'}://yunliu:{SECRET}@127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    # --------------------------------------------------------------------------------------------- by the test

    def play(self, events: Iterable[Mapping[str, str]]) -> None:
        """Send these events to everybody who is logged in."""
        data = b"".join(rendered(event) for event in events)
        for client in list(self._clients):
            with contextlib.suppress(OSError):
                client.sendall(data)

    def cut(self) -> None:
        """Every connection breaks."""
        for client in list(self._clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def shut_down(self) -> None:
        self.play([{"Event": "Shutdown", "Shutdown": "Cleanly", "Restart": "False"}])
        self.cut()

    def asked(self, action: str) -> list[Message]:
        return [message for message in self.actions if message.get("Action") == action]

    # --------------------------------------------------------------------------------------------- the peer

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _address = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            client.sendall(GREETING)
            reader = Reader()
            while data := client.recv(65536):
                for message in reader.feed(data):
                    self.actions.append(message)
                    if not self.hung:
                        self._answer(client, message)
        except OSError:
            pass
        finally:
            if client in self._clients:
                self._clients.remove(client)
            client.close()

    def _answer(self, client: socket.socket, message: Message) -> None:
        action, action_id = message.get("Action"), message.get("ActionID")
        if action in self.silent:
            return
        if action == "Login":
            self.logins.append(time.monotonic())
            if self.refuse_login or (message.get("Username"), message.get("Secret")) != ("yunliu", SECRET):
                client.sendall(
                    rendered({"Response": "Error", "ActionID": action_id, "Message": "Authentication failed"})
                )
                raise OSError
            self._clients.append(client)
        if client not in self._clients:
            client.sendall(rendered({"Response": "Error", "ActionID": action_id, "Message": "Permission denied"}))
            return
        if error := self.answers.get(action):
            client.sendall(rendered({"Response": "Error", "ActionID": action_id, "Message": error}))
            return
        client.sendall(rendered({"Response": "Success", "ActionID": action_id, "Message": "queued"}))
        for event in self._after(action, message):
            client.sendall(rendered({**event, **({"ActionID": action_id} if action_id else {})}))
        if action == "Originate":
            self.play(self.originated(message.get("ChannelId")))

    def _after(self, action: str, message: Message) -> list[dict[str, Any]]:
        if not self.lists and action != "CoreShowChannels":
            return []
        match action:
            case "CoreShowChannels":
                rows = [{"Event": "CoreShowChannel", **channel} for channel in self.channels]
                return [*rows, {"Event": "CoreShowChannelsComplete", "ListItems": str(len(rows))}]
            case "QueueStatus":
                return [
                    *({"Event": "QueueMember", **member} for member in self.members),
                    {"Event": "QueueStatusComplete"},
                ]
            case "DeviceStateList":
                return [{"Event": "DeviceStateListComplete"}]
            case _:
                return []


def rendered(fields: Mapping[str, str]) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in fields.items()).encode() + b"\r\n"
