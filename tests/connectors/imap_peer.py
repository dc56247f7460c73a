"""An IMAP server that does what no decent one does: falls silent, hangs up, lies."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

HOST = "127.0.0.1"

CUT = "cut the connection"
SILENCE = "say nothing more"


@contextmanager
def scripted_imap(certificate: tuple[Path, Path], **script: str) -> Iterator[tuple[int, list[str]]]:
    """Speaks TLS; answers each command word as told: untagged lines, `NO …` or `BAD …`, CUT or SILENCE.

    The port, and what it heard.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    heard: list[str] = []
    done = threading.Event()
    listener = socket.create_server((HOST, 0))
    answers = {"CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE", "SELECT": "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok", **script}

    def serve() -> None:
        while not done.is_set():
            try:
                plain, _address = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as client, client.makefile("rwb") as stream:
                    talk(stream)
            except (OSError, ValueError):
                continue

    def talk(stream: BinaryIO) -> None:
        stream.write(b"* OK hello\r\n")
        stream.flush()
        while line := stream.readline().decode().rstrip("\r\n"):
            heard.append(line)
            tag, _space, rest = line.partition(" ")
            words = rest.upper().split() or [tag]
            word = words[1] if words[0] == "UID" else words[0]
            reply = answers.get(word, "")
            if reply == CUT:
                return
            if reply == SILENCE:
                done.wait(10)
                return
            if word == "IDLE":
                stream.write(b"+ idling\r\n")
                stream.flush()
                heard.append(stream.readline().decode().rstrip("\r\n"))
                if answers.get("DONE") == SILENCE:
                    done.wait(10)
                    return
                reply = ""
            end = reply if reply.startswith(("NO", "BAD")) else "OK done"
            before = "" if reply.startswith(("NO", "BAD")) or not reply else f"{reply}\r\n"
            stream.write(f"{before}{tag} {end}\r\n".encode())
            stream.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)
