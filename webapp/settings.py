"""Every setting of the house: where it comes from, what it is without you, and what it means."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """A setting cannot be read; says which one and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


def _flag(text: str) -> bool:
    if text.strip().lower() in {"1", "true", "yes", "on"}:
        return True
    if text.strip().lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError(f"{text!r} is neither yes nor no")


def _on_due(text: str) -> str:
    if text.strip() in {"", "remind", "escalate"}:
        return text.strip()
    raise ValueError(f"{text!r} is neither remind nor escalate nor empty")


def _setting(default: Any, meaning: str, *, read: Callable[[str], Any] = str, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"help": meaning, "read": read, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """What the environment says, read once at start.

    Each field is the environment variable of the same name in capitals; each may instead be given as NAME_FILE, a path
    whose content is the value (the way container secrets come).
    """

    data_dir: Path = _setting(Path("data"), "Folder for the database, attachments and generated secrets.", read=Path)
    database_url: str = _setting(
        "", "SQLAlchemy URL; empty = SQLite in DATA_DIR. PostgreSQL: postgresql+psycopg://user@host/name.", secret=True
    )
    secret_key: str = _setting(
        "", "Signs sessions and tokens, at least 32 characters; empty = made once in DATA_DIR/secret_key.", secret=True
    )
    redis_url: str = _setting(
        "", "Redis for shared rate limits and live updates; empty = in this process alone.", secret=True
    )
    broker_url: str = _setting(
        "", "Celery broker (redis:// or amqp://); empty = a folder broker in DATA_DIR.", secret=True
    )
    sms_modem: str = _setting("", "Serial port of the SMS modem, e.g. /dev/ttyUSB0; empty = the simulator.")
    sms_pin: str = _setting("", "PIN of the modem's SIM card.", secret=True)
    sms_gateway_url: str = _setting(
        "", "HTTP gateway for SMS, https://host/path, instead of a modem; docs/sms-gateway.md says what it is asked."
    )
    sms_gateway_token: str = _setting("", "Bearer token of the SMS gateway.", secret=True)
    smtp_url: str = _setting(
        "", "Mail server, smtp://user:password@host:587 or smtps://…; empty = the simulator.", secret=True
    )
    mail_from: str = _setting("yunliu@localhost", "Sender address of outgoing mail.")
    base_url: str = _setting(
        "http://localhost:8000", "Address people open in the browser; https turns on secure cookies."
    )
    trusted_proxies: int = _setting(
        0, "How many reverse proxies in front set X-Forwarded-*; 0 = believe none.", read=int
    )
    web_threads: int = _setting(8, "Threads that serve pages in one web process.", read=int)
    demo: bool = _setting(
        False,
        "Demo company is loaded: devices are simulated whatever SMS_MODEM, SMS_GATEWAY_URL and SMTP_URL say.",
        read=_flag,
    )
    login_attempts: int = _setting(
        5, "Wrong passwords in a row before a login is locked; each further one doubles the pause.", read=int
    )
    login_lock_seconds: int = _setting(30, "Length of the first lock after too many wrong passwords.", read=int)
    api_rate_limit: str = _setting("1200 per minute", "Calls of the interface accepted from one person.")
    login_rate_limit: str = _setting(
        "20 per minute", "Login attempts accepted from one address, page and API together."
    )
    on_due: str = _setting(
        "escalate",
        "What happens by itself at 50, 100 and 150 % of a task's time unless its diagram says: remind its holders,"
        " escalate to the superior at last, or nothing when empty.",
        read=_on_due,
    )
    password_min_length: int = _setting(10, "Shortest password people may choose.", read=int)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over https."""
        return self.base_url.startswith("https://")

    @property
    def devices_simulated(self) -> bool:
        return self.demo


@dataclass(frozen=True)
class SettingDoc:
    """One row of the operators' table."""

    name: str
    default: str
    help: str
    secret: bool


def list_settings() -> tuple[SettingDoc, ...]:
    """Every setting with its default and meaning, in the order operators meet them."""
    return tuple(
        SettingDoc(f.name.upper(), str(f.default), str(f.metadata["help"]), bool(f.metadata["secret"]))
        for f in fields(Settings)
    )


def settings_table() -> str:
    """The same as a Markdown table for docs/operators.md."""
    rows = [
        f"| `{s.name}`{' (secret)' if s.secret else ''} | {f'`{s.default}`' if s.default else '–'} | {s.help} |"
        for s in list_settings()
    ]
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows])


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment (or the mapping given), make the data folder and, once, the secret key."""
    given = dict(_given(os.environ if environ is None else environ))
    data_dir: Path = given.setdefault("data_dir", Settings.data_dir).resolve()
    given["data_dir"] = data_dir
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # its database is nobody else's to read
    if not given.get("database_url"):
        given["database_url"] = f"sqlite:///{data_dir / 'yunliu.db'}"
    if not given.get("secret_key"):
        given["secret_key"] = _kept_secret(data_dir / "secret_key")
    if len(given["secret_key"]) < 32:
        raise SettingsError("SECRET_KEY", "needs at least 32 characters")
    if given.get("sms_modem") and given.get("sms_gateway_url"):
        raise SettingsError("SMS_GATEWAY_URL", "there is an SMS_MODEM already: set one of the two")
    given["base_url"] = given.get("base_url", Settings.base_url).rstrip("/")
    return Settings(**given)


def _given(environ: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for spec in fields(Settings):
        name = spec.name.upper()
        text = environ.get(name)
        if path := environ.get(f"{name}_FILE"):
            if text is not None:
                raise SettingsError(name, f"given twice: {name} and {name}_FILE")
            try:
                text = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{name}_FILE", str(error)) from error
        if text is not None:
            try:
                yield spec.name, spec.metadata["read"](text)
            except ValueError as error:
                raise SettingsError(name, str(error)) from error


def _kept_secret(path: Path) -> str:
    """The secret in the file; when several processes start at once on an empty folder, one writes and all read it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # atomic and refuses to overwrite: the first one wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="utf-8").strip()
