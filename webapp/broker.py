"""The way jobs are hinted at: a folder by default, Redis or RabbitMQ by BROKER_URL. The database stays the truth."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path
from typing import Any

from celery.exceptions import OperationalError
from kombu.transport import filesystem
from kombu.utils import json

from engine import queue
from engine.db import Sessions
from webapp.settings import Settings

logger = logging.getLogger(__name__)

FOLDER_POLL_SECONDS = 0.2
SLACK_SECONDS = 10
"""A hint older than its period and this is dropped: while no worker runs, hints must not pile up."""


class FolderChannel(filesystem.Channel):
    """Messages as files of a folder; one appears whole or not at all: a reader never sees half of it and gives up."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        part = folder / f".{name}"
        part.write_text(json.dumps(payload), "utf-8")  # type: ignore[no-untyped-call]
        part.replace(folder / name)


class FolderTransport(filesystem.Transport):
    Channel = FolderChannel


def connect(settings: Settings) -> None:
    """Point Celery at the broker, make a task of every periodic job and give the engine its way to wake a worker."""
    queue.celery.conf.update(
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_default_queue="yunliu",
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        timezone="UTC",
        beat_schedule={
            job.name: {"task": job.name, "schedule": job.seconds, "options": {"expires": job.seconds + SLACK_SECONDS}}
            for job in queue.PERIODIC.values()
        },
        **_broker(settings),
    )
    for job in queue.PERIODIC.values():
        if job.name not in queue.celery.tasks:
            queue.celery.task(name=job.name)(_alone(job))
    queue.install_hint(_hint)


def _broker(settings: Settings) -> dict[str, Any]:
    if settings.broker_url:
        return {"broker_url": settings.broker_url}
    messages, control = _folder(settings.data_dir / "queue"), _folder(settings.data_dir / "queue" / "control")
    return {
        "broker_url": "filesystem://",
        "broker_transport": f"{__name__}:FolderTransport",
        "broker_transport_options": {
            "data_folder_in": messages,
            "data_folder_out": messages,
            "control_folder": control,
            "polling_interval": FOLDER_POLL_SECONDS,
        },
    }


def _folder(path: Path) -> str:
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def _alone(job: queue.Periodic) -> Any:
    def run() -> None:
        try:
            job.function()
        except Exception:
            logger.exception("job.failed", extra={"job": job.name})
        finally:
            Sessions.remove()

    return run


def _hint(name: str) -> None:
    """Losing it costs at most one period, so a broker that is away must not fail the page."""
    try:
        queue.celery.send_task(name, expires=60, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("broker.unreachable", extra={"job": name, "error": str(error)})
