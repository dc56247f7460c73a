"""Every setting of the house: where it comes from, what it is without you, and what it means."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from connectors.safe_http import Allowed
from processes.activity.rules import Qualifying
from processes.messaging.rules import QuietHours
from processes.party.rules import alike

WATERMARKS = ("off", "masked", "customers", "everywhere")


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


def _allowed(text: str) -> str:
    Allowed.parse(text)
    return text.strip()


def _on_due(text: str) -> str:
    if text.strip() in {"", "remind", "escalate"}:
        return text.strip()
    raise ValueError(f"{text!r} is neither remind nor escalate nor empty")


def _watermark(text: str) -> str:
    if text.strip() in WATERMARKS:
        return text.strip()
    raise ValueError(f"{text!r} is none of {', '.join(WATERMARKS)}")


def _digits(text: str) -> str:
    if text.strip() and not (text.strip().isascii() and text.strip().isdecimal()):
        raise ValueError(f"{text!r} has other signs than digits")
    return text.strip()


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 1 <= seconds <= 3600:
        raise ValueError(f"{text!r} is not between 1 and 3600")
    return seconds


def _quiet_hours(text: str) -> str:
    return str(QuietHours.parse(text))


def _contact_ways(text: str) -> str:
    return " ".join(sorted(Qualifying.parse(0, text).ways))


def _duplicates(text: str) -> str:
    alike.house_rules(text)
    return text.strip()


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
    sms_modem: str = _setting(
        "", "Serial port of the SMS modem, e.g. /dev/ttyUSB0, or several with commas between; empty = the simulator."
    )
    sms_pin: str = _setting(
        "", "PIN of the modem's SIM card; of several one for all, or one for each with commas between.", secret=True
    )
    sms_spool: str = _setting(
        "", "Folder of smstools' smsd (outgoing, sent, incoming … in it) as a road for SMS; docs/sms.md says how."
    )
    sms_gateway_url: str = _setting(
        "",
        "HTTP gateway for SMS, https://host/path (docs/sms-gateway.md); beside modems it sends while none of them can.",
    )
    sms_gateway_token: str = _setting("", "Bearer token of the SMS gateway.", secret=True)
    ami_url: str = _setting(
        "",
        "Asterisk's manager interface, ami://user:secret@127.0.0.1:5038 or, for another machine, amis://…;"
        " docs/telephony.md says with which rights. Empty = no telephone.",
        secret=True,
    )
    outside_line: str = _setting("", "What is dialled before an outside number, e.g. 9.", read=_digits)
    area_code: str = _setting("", "Area code of local numbers without one, e.g. 0755.", read=_digits)
    service_seconds: int = _setting(
        20,
        "Within how many seconds an incoming call should be answered; the share that was is the service level.",
        read=_seconds,
    )
    sms_gateway_secret: str = _setting(
        "",
        "Signs what the SMS gateway calls back with (reports, answers); empty = nothing is taken from it.",
        secret=True,
    )
    sms_approvals: bool = _setting(
        False,
        "Reminders by SMS carry a code by which the approver may answer by SMS. Whoever forges a sender's number needs"
        " only the code; so each house decides this for itself.",
        read=_flag,
    )
    smtp_url: str = _setting(
        "", "Mail server, smtp://user:password@host:587 or smtps://…; empty = the simulator.", secret=True
    )
    mail_from: str = _setting("yunliu@localhost", "Sender address of outgoing mail.")
    sms_per_minute: int = _setting(
        0, "Most SMS handed to the gateway in a minute, by all processes together; 0 = no limit.", read=int
    )
    mail_per_minute: int = _setting(
        0, "Most mails handed to the mail server in a minute, by all processes together; 0 = no limit.", read=int
    )
    webhook_allow_private: str = _setting(
        "",
        "Internal hosts and networks that webhooks may reach all the same, over http:// too: erp.intern, 10.1.0.0/16.",
        read=_allowed,
    )
    mail_bounces_to: str = _setting(
        "", "Address that undeliverable mail comes back to, if not MAIL_FROM: one that IMAP_URL reads, too."
    )
    imap_url: str = _setting(
        "",
        "Mailboxes to read, imaps://user:password@host/INBOX?filed=Done, several with spaces between; empty = none.",
        secret=True,
    )
    base_url: str = _setting(
        "http://localhost:8000", "Address people open in the browser; https turns on secure cookies."
    )
    trusted_proxies: int = _setting(
        0, "How many reverse proxies in front set X-Forwarded-*; 0 = believe none.", read=int
    )
    web_threads: int = _setting(8, "Threads that serve pages in one web process.", read=int)
    demo: bool = _setting(
        False,
        "Demo company is loaded: devices are simulated whatever SMS_MODEM, SMS_GATEWAY_URL, AMI_URL, SMTP_URL and"
        " IMAP_URL say.",
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
    sms_quiet_hours: str = _setting(
        "21:00-08:00", "When no commercial SMS leaves, in Shanghai; empty = at any time.", read=_quiet_hours
    )
    sms_late_hours: int = _setting(
        4,
        "A scheduled SMS that could not leave for so long is not sent but shown; 0 = it leaves however late.",
        read=int,
    )
    sms_approval_above: int = _setting(100, "Recipients of one SMS campaign above which it needs approval.", read=int)
    lock_cool_down_days: int = _setting(
        7, "Days before who released a customer, or lost it to a rule, may apply for it again.", read=int
    )
    lock_requests_a_day: int = _setting(20, "Customers one person may apply for in a day; 0 = any number.", read=int)
    lock_fair_hours: int = _setting(
        0,
        "Hours a customer lies in the pool before an application for it is granted, so that all may apply; 0 = none.",
        read=int,
    )
    watchers_shown: bool = _setting(False, "An owner sees who watches his customer.", read=_flag)
    most_in_focus: int = _setting(50, "Customers one person may keep in “My focus”; 0 = any number.", read=int)
    contact_min_length: int = _setting(
        8, "Letters and digits that a contact record needs to count against unlocking.", read=int
    )
    contact_ways: str = _setting(
        "call mail meeting message visit",
        "Ways of contact that count against unlocking: call, visit, meeting, message, mail, sms, other.",
        read=_contact_ways,
    )
    pool_records: bool = _setting(
        True,
        "Everybody who sees a customer of the pool may note contacts with it and make appointments; False = only who"
        " has locked it.",
        read=_flag,
    )
    follow_idle_days: int = _setting(
        30, "Days without contact and without a plan after which a customer is “not spoken to recently”.", read=int
    )
    duplicates: str = _setting(
        "",
        "What happens when a customer looks like one that is there, ground:verdict with allow, warn or block, e.g."
        " core:block fuzzy:warn; grounds: core, phone, mail, sound, fuzzy, employer.",
        read=_duplicates,
    )
    watermark: str = _setting(
        "masked",
        "Where the reader's name, number and the time are drawn faintly over the screen: off, masked (pages with"
        " customers, for people from whom a rule on sensitive fields keeps something back), customers (such pages, for"
        " everybody), everywhere.",
        read=_watermark,
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
    _check_pins(given.get("sms_modem", ""), given.get("sms_pin", ""))
    given["base_url"] = given.get("base_url", Settings.base_url).rstrip("/")
    return Settings(**given)


def _check_pins(modems: str, pins: str) -> None:
    """A PIN tried on the wrong SIM is one of three tries lost."""
    ports, given = [port for port in modems.split(",") if port.strip()], pins.split(",")
    if len(given) > 1 and len(given) != len(ports):
        raise SettingsError("SMS_PIN", f"{len(given)} PINs for {len(ports)} modems: give one for all, or one for each")
    if len({port.strip() for port in ports}) != len(ports):
        raise SettingsError("SMS_MODEM", "names one port twice")


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
