"""A real mail house on high ports of this machine: Postfix to send and bounce, Dovecot to keep and to idle.

Everything lies in a folder of its own and goes with it; the system's own mail is not touched. Needs root, as both
servers give their rights away to users of the system.
"""

from __future__ import annotations

import base64
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from urllib.parse import quote

from imap_tools import MailBox

from tests.servers import die_with_parent

HOST = "127.0.0.1"
DOMAIN = "example.cn"
PASSWORD = "s3cret %:@/"
PEOPLE = ("bpm", "bounce", "li", "wang")
MISSING = "no {name}: apt-get install postfix dovecot-imapd dovecot-lmtpd"
START_SECONDS = 20.0


class Missing(Exception):
    """Something the house is made of is not here."""


@dataclass(frozen=True)
class MailHouse:
    root: Path
    smtp: int
    submission: int
    """STARTTLS and a login"""
    smtps: int
    imap: int
    """STARTTLS"""
    imaps: int
    ca: Path

    def smtp_url(self, scheme: str = "smtp", person: str = "") -> str:
        login = f"{_login(person, PASSWORD)}@" if person else ""
        port = {"smtp": self.smtp, "smtp+starttls": self.submission, "smtps": self.smtps}[scheme]
        query = "" if scheme == "smtp" else f"?ca={self.ca}"
        return f"{scheme}://{login}{HOST}:{port}{query}"

    def imap_url(self, person: str, *, scheme: str = "imaps", password: str = PASSWORD, **options: str) -> str:
        port = self.imaps if scheme == "imaps" else self.imap
        query = "&".join(f"{name}={value}" for name, value in {"ca": str(self.ca), "timeout": "10", **options}.items())
        return f"{scheme}://{_login(person, password)}@{HOST}:{port}/INBOX?{query}"

    def inject(self, mail: EmailMessage | bytes, to: str, sender: str = "li@example.cn") -> None:
        """As a stranger's server hands it in; "" is the null sender."""
        content = mail if isinstance(mail, bytes) else mail.as_bytes()
        with SMTP(HOST, self.smtp, timeout=10) as smtp:
            smtp.sendmail(sender, [f"{to}@{DOMAIN}"], content)

    @contextmanager
    def look(self, person: str, folder: str = "INBOX") -> Iterator[MailBox]:
        """The mailbox as its owner's own mail program sees it."""
        context = ssl.create_default_context(cafile=str(self.ca))
        with MailBox(HOST, self.imaps, timeout=10, ssl_context=context) as box:
            yield box.login(f"{person}@{DOMAIN}", PASSWORD, initial_folder=folder)

    def empty(self) -> None:
        """Every mailbox as on the first day, with another UIDVALIDITY."""
        for person in PEOPLE:
            shutil.rmtree(self.root / "mail" / f"{person}@{DOMAIN}", ignore_errors=True)

    def until(self, person: str, count: int, folder: str = "INBOX", seconds: float = 10.0) -> list[bytes]:
        """The mails of a folder, once there are so many."""
        end = time.monotonic() + seconds
        while True:
            with self.look(person, folder) as box:
                found = [mail.obj.as_bytes() for mail in box.fetch(mark_seen=False)]
            if len(found) >= count:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"{len(found)} mails instead of {count}: {(self.root / 'mail.log').read_text()}")
            time.sleep(0.05)


def _login(person: str, password: str) -> str:
    return f"{person}%40{DOMAIN}:{quote(password, safe='')}"


@contextmanager
def running() -> Iterator[MailHouse]:
    """Start both servers; raises Missing where that cannot be."""
    if os.geteuid() != 0:
        raise Missing("Postfix and Dovecot of the tests must be started by root")
    for name in ("postfix", "dovecot", "openssl"):
        if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            raise Missing(MISSING.format(name=name))
    if not Path("/usr/lib/dovecot/lmtp").exists() or not Path("/usr/lib/dovecot/imap").exists():
        raise Missing(MISSING.format(name="Dovecot with IMAP and LMTP"))
    root = Path(tempfile.mkdtemp(prefix="mail-house-"))
    root.chmod(0o755)  # the servers' users must get through
    ports = _free_ports(6)
    house = MailHouse(root, *ports[:5], ca=root / "ca.pem")
    lmtp = ports[5]
    try:
        _make_certificates(root)
        _write_dovecot(house, lmtp)
        _write_postfix(house, lmtp)
        with ExitStack() as servers:
            servers.enter_context(_served("/usr/sbin/dovecot", "-F", "-c", str(root / "dovecot.conf")))
            _run("/usr/sbin/postfix", "-c", str(root / "postfix"), "check")
            servers.enter_context(_served("/usr/lib/postfix/sbin/master", "-d", "-c", str(root / "postfix")))
            for port in ports:
                _wait_for(port)
            yield house
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _served(*command: str) -> Iterator[None]:
    """A server in the foreground that goes when we go, even when we are killed."""
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, preexec_fn=die_with_parent,
    )  # fmt: skip
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _run(*command: str, check: bool = True) -> None:
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if check and done.returncode:
        raise AssertionError(f"{command}: {done.stdout.decode()}{done.stderr.decode()}")


def _free_ports(count: int) -> list[int]:
    """Held all at once, so that they differ."""
    probes = [socket.socket() for _each in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _wait_for(port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _make_certificates(root: Path) -> None:
    """A CA of our own and a server it knows."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _run("openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=Test CA", "-keyout", f"{root}/ca.key",
         "-out", f"{root}/ca.pem")  # fmt: skip
    _run("openssl", "req", *key, "-subj", "/CN=mail.test", "-addext", f"subjectAltName=IP:{HOST}",
         "-keyout", f"{root}/server.key", "-out", f"{root}/server.csr")  # fmt: skip
    _run("openssl", "x509", "-req", "-in", f"{root}/server.csr", "-CA", f"{root}/ca.pem", "-CAkey", f"{root}/ca.key",
         "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", f"{root}/server.pem")  # fmt: skip


def _write_dovecot(house: MailHouse, lmtp: int) -> None:
    root = house.root
    (root / "mail").mkdir()
    mail = pwd.getpwnam("mail")
    os.chown(root / "mail", mail.pw_uid, mail.pw_gid)
    (root / "dovecot.conf").write_text(f"""
base_dir = {root}/dovecot-run
state_dir = {root}/dovecot-state
instance_name = {root.name}
log_path = {root}/mail.log
protocols = imap lmtp
listen = {HOST}
ssl = yes
ssl_cert = <{root}/server.pem
ssl_key = <{root}/server.key
mail_location = maildir:{root}/mail/%u
mail_uid = {mail.pw_uid}
mail_gid = {mail.pw_gid}
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/passwords.db
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {root}/passwords.db
}}
service imap-login {{
  inet_listener imap {{
    port = {house.imap}
  }}
  inet_listener imaps {{
    port = {house.imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {HOST}
    port = {lmtp}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {root}/auth {{
    mode = 0666
  }}
}}
""")
    secret = base64.b64encode(PASSWORD.encode()).decode()
    (root / "passwords.db").write_text(
        "".join(
            f"{name}@{DOMAIN}:{{PLAIN.b64}}{secret}:{mail.pw_uid}:{mail.pw_gid}::{root}/mail/{name}@{DOMAIN}::\n"
            for name in PEOPLE
        )
    )


def _write_postfix(house: MailHouse, lmtp: int) -> None:
    root, config = house.root, house.root / "postfix"
    config.mkdir()
    (root / "queue").mkdir()
    (root / "data").mkdir()
    owner = pwd.getpwnam("postfix")
    os.chown(root / "data", owner.pw_uid, owner.pw_gid)
    (config / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/postfix.log
maillog_file_prefixes = {root}
myhostname = mail.test
mydomain = {DOMAIN}
mydestination =
alias_maps =
inet_interfaces = {HOST}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps =
virtual_transport = lmtp:inet:{HOST}:{lmtp}
default_transport = error:5.1.2 there is no world outside
smtpd_reject_unlisted_recipient = no
smtpd_reject_unlisted_sender = no
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_sasl_type = dovecot
smtpd_sasl_path = {root}/auth
smtpd_tls_cert_file = {root}/server.pem
smtpd_tls_key_file = {root}/server.key
smtp_tls_security_level = none
message_size_limit = 3000000
biff = no
""")
    submission = "-o smtpd_sasl_auth_enable=yes -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject"
    (config / "master.cf").write_text(f"""
{HOST}:{house.smtp} inet n - n - - smtpd
{HOST}:{house.submission} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt {submission}
{HOST}:{house.smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes {submission}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")
