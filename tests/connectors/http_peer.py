"""An HTTP peer that answers as it is told, also as no decent server would."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Asked:
    """One request as it came over the line."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass
class Peer:
    """`answer` is written for each request; None closes the line without a word, `hang` keeps it open and silent."""

    port: int
    answer: bytes | None = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    hang: bool = False
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/send?channel=1"

    def says(self, status: int, said: object = None, **headers: str) -> None:
        body = b"" if said is None else json.dumps(said, ensure_ascii=False).encode()
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *(f"{n}: {v}" for n, v in headers.items())]
        self.answer = "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def http_peer() -> Iterator[Peer]:
    with socket.create_server((HOST, 0)) as listening:
        peer, stop = Peer(listening.getsockname()[1]), threading.Event()
        listening.settimeout(0.1)
        thread = threading.Thread(target=_serve, args=(listening, peer, stop))
        thread.start()
        try:
            yield peer
        finally:
            stop.set()
            thread.join(10)


def _serve(listening: socket.socket, peer: Peer, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            line, _address = listening.accept()
        except TimeoutError:
            continue
        with line:
            line.settimeout(5)
            _converse(line, peer, stop.wait)


def _converse(line: socket.socket, peer: Peer, wait: Callable[[float], object]) -> None:
    with line.makefile("rb") as reader:
        first = reader.readline().decode().strip()
        headers = {}
        while text := reader.readline().decode().strip():
            name, _colon, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", "0")))
        peer.asked.append(Asked(first, headers, json.loads(body) if body else None))
        if peer.hang:
            wait(3)
        elif peer.answer is not None:
            line.sendall(peer.answer)
