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
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    if os.getpgrp() == os.getpid():  # a supervised child leads its own group: take its helpers along
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
