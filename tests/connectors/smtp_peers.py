"""Mail servers to talk to: aiosmtpd as the foreign judge, and a scripted one for what no decent server does."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
USER, PASSWORD = "bpm@example.cn", "s3cret/%:@"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def make_certificate(directory: Path, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """A self-made certificate and its key, good for a day."""
    certificate, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=mail.test", "-addext", f"subjectAltName={name}", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return certificate, key


@dataclass
class Postbox:
    """An aiosmtpd handler: keeps what it takes; `replies` by recipient address, or for "DATA" and "MAIL"."""

    replies: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[Envelope, EmailMessage]] = field(default_factory=list)
    connections: int = 0
    logins: list[tuple[bytes, bool]] = field(default_factory=list)
    """(user, was the line encrypted)"""

    async def handle_EHLO(  # noqa: N802 - named by aiosmtpd
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += session.ssl is None
        return replies

    async def handle_MAIL(  # noqa: N802 - named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - named by aiosmtpd
        if reply := self.replies.get("DATA"):
            return reply
        content = envelope.original_content or b""
        self.mails.append((envelope, message_from_bytes(content, _class=EmailMessage, policy=policy.SMTP)))
        return "250 2.0.0 queued as 7"

    def authenticate(
        self, _server: SMTP, session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login, session.ssl is not None))
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


@contextmanager
def mail_server(box: Postbox, **options: Any) -> Iterator[int]:
    """Runs aiosmtpd; the port. `ssl_context` for smtps, `tls_context` for STARTTLS."""
    port = free_port()
    controller = Controller(box, hostname=HOST, port=port, authenticator=box.authenticate, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


CUT = "cut the connection"
SILENCE = "say nothing more"

DEFAULT_SCRIPT = {
    "greeting": "220 hello",
    "EHLO": "250 hello",
    "HELO": "250 hello",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 taken",
    "QUIT": "221 bye",
}


@contextmanager
def scripted_server(**script: str) -> Iterator[tuple[int, list[str]]]:
    """Answers each command word as told (`dot` is the final dot); the port and the lines it heard."""
    answers = DEFAULT_SCRIPT | {(".") if word == "dot" else word: reply for word, reply in script.items()}
    heard: list[str] = []
    listener = socket.create_server((HOST, 0))
    done = threading.Event()

    def serve() -> None:
        try:
            client, _address = listener.accept()
        except OSError:
            return
        with client, client.makefile("rwb") as stream:
            talk(stream)

    def talk(stream: Any) -> None:
        word, in_data = "greeting", False
        while True:
            reply = answers.get(word, "500 what?")
            if reply == CUT:
                return
            if reply == SILENCE:
                done.wait(10)
                return
            stream.write(reply.replace("\n", "\r\n").encode() + b"\r\n")
            stream.flush()
            in_data = reply.startswith("354")
            while True:
                line = stream.readline()
                if not line:
                    return
                heard.append(line.decode().rstrip("\r\n"))
                if not in_data or heard[-1] == ".":
                    break
            word = heard[-1].split(" ")[0].split(":")[0].upper()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        done.set()
        listener.close()
        thread.join(timeout=5)
