"""The engine's hands: `work` runs the jobs, `beat` says when each is due again."""

from __future__ import annotations

import logging
import warnings

from celery.apps.beat import Beat
from celery.beat import Scheduler
from celery.platforms import SecurityWarning

import engine.jobs  # noqa: F401 - the engine's own jobs
from engine.queue import celery
from webapp import bootstrap, broker, wires
from webapp.security import organization
from webapp.settings import Settings

POOL_THREADS = 8
"""a slow peer may keep one for each way out; timers and the rest need theirs"""


def work(settings: Settings) -> None:
    """Run jobs until told to stop; one that has begun is finished first."""
    # Celery warns root of pickled messages; ours are JSON with nothing but a job's name in it.
    warnings.simplefilter("ignore", SecurityWarning)
    _join(settings)
    wires.install(settings)
    worker = celery.Worker(
        pool="threads",
        concurrency=POOL_THREADS,
        without_mingle=True,
        without_gossip=True,
        loglevel="WARNING",
        quiet=True,
    )
    worker.start()


def beat(settings: Settings) -> None:
    """Send every periodic job's hint in its period; two of them are harmless, jobs bear being run twice."""
    _join(settings)
    # Intervals only, so nothing need be remembered between runs: no schedule file that a crash could spoil.
    Beat(app=celery, scheduler_cls=Scheduler, quiet=True, loglevel="WARNING").run()


def _join(settings: Settings) -> None:
    bootstrap.start(settings)
    organization.join()  # what a job does may depend on what a person may see
    broker.connect(settings)
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # a folder has no host name, and that is no warning
