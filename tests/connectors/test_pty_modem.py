"""The pseudo-terminal modem as its own process, for tests that start the whole house."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from connectors.sms.modem import ModemSms
from connectors.sms.transport import OutSms


def test_it_runs_alone_and_writes_down_what_it_was_given(tmp_path: Path) -> None:
    device, sent = tmp_path / "modem", tmp_path / "sent.jsonl"
    command = [sys.executable, "-m", "tests.connectors.pty_modem"]
    options = ["--device", str(device), "--sent", str(sent), "--pin", "1234"]
    with subprocess.Popen([*command, *options], cwd=Path(__file__).parents[2]) as process:
        try:
            while not device.exists():  # however long the machine takes: pytest-timeout ends what never comes about
                assert process.poll() is None
                time.sleep(0.05)
            modem = ModemSms(str(device), pin="1234")
            assert modem.send(OutSms("1", "+8613800138000", "云流😀" * 20, concat_ref=1)).outcome.is_accepted
            modem.close()
        finally:
            process.terminate()
    assert json.loads(sent.read_text(encoding="utf-8")) == {"to": "+8613800138000", "text": "云流😀" * 20, "parts": 2}
    assert not device.exists()
