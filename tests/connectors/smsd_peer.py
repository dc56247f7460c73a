"""The real smsd of Debian's smstools over a modem on a pseudo-terminal, with folders of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = "/usr/sbin/smsd"
FOLDERS = ("outgoing", "checked", "sent", "failed", "incoming", "report")

_CONFIGURATION = """
devices = GSM1
logfile = {base}/smsd.log
infofile = {base}/smsd.working
pidfile = {base}/smsd.pid
stats = {base}
{folders}
delaytime = 1
delaytime_mainprocess = 1
errorsleeptime = 1
incoming_utf8 = yes
internal_combine = yes

[GSM1]
device = {device}
incoming = yes
report = yes
pre_init = no
check_network = 0
keep_open = yes
"""


def there() -> bool:
    return shutil.which(PROGRAM) is not None


def make_folders(base: Path) -> Path:
    spool = base / "spool"
    for name in FOLDERS:
        (spool / name).mkdir(parents=True)
    return spool


@contextmanager
def smsd(base: Path, spool: Path, device: str) -> Iterator[None]:
    folders = "\n".join(f"{name} = {spool / name}" for name in FOLDERS)
    settings = base / "smsd.conf"
    settings.write_text(_CONFIGURATION.format(base=base, folders=folders, device=device), encoding="utf-8")
    with (base / "smsd.out").open("wb") as out:
        process = subprocess.Popen([PROGRAM, "-t", f"-c{settings}"], stdout=out, stderr=out, start_new_session=True)
    try:
        yield
    finally:
        # Its modem handler is a child of its own; the group is ours alone.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
