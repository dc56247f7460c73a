"""A child process notices when its supervisor is gone, however that died."""

from __future__ import annotations

import os
import signal
import threading
import time

VARIABLE = "YUNLIU_LIFELINE"
GRACE_SECONDS = 20.0


def hold() -> None:
    """Called by a child when it starts: it ends as soon as the other end of the pipe is closed.

    The supervisor keeps that end open and never writes; the kernel closes it even after SIGKILL.
    """
    number = os.environ.pop(VARIABLE, None)
    if number is not None:
        os.set_inheritable(int(number), False)
        threading.Thread(target=_wait, args=(int(number),), name="lifeline", daemon=True).start()


def _wait(pipe: int) -> None:
    os.read(pipe, 1)
    _tell(signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    _tell(signal.SIGKILL)


def _tell(number: signal.Signals) -> None:
    """A supervised child leads its own group: its helpers are told with it."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), number)
    else:
        os.kill(os.getpid(), number)
