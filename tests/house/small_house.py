"""A supervisor over children that only write down their process ids; started by test_serve as a process of its own."""

from __future__ import annotations

import sys

from webapp.serve import Child, Supervisor

CHILD = """
import os, pathlib, subprocess, sys, time
from webapp import lifeline
lifeline.hold()
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
folder = pathlib.Path(sys.argv[1])
(folder / f"{sys.argv[2]}.{os.getpid()}").write_text(str(helper.pid))
time.sleep(60)
"""


def main(folder: str) -> None:
    names = ("web", "worker")
    Supervisor([Child(name, [sys.executable, "-c", CHILD, folder, name]) for name in names]).run()


if __name__ == "__main__":
    main(sys.argv[1])
