"""One line per event: time, level, event, then what was said with it as key=value."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class EventFormatter(logging.Formatter):
    """`logger.info("sms.sent", extra={"outbox_id": 7})` -> `2026-11-23T01:00:00Z INFO sms.sent outbox_id=7`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = " ".join(f"{key}={value}" for key, value in vars(record).items() if key not in OWN_FIELDS)
        line = f"{at} {record.levelname} {record.getMessage()}" + (f" {said}" if said else "")
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def configure(level: int = logging.INFO) -> None:
    """Called once by every process of the house; everything goes to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(EventFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("alembic", "celery", "kombu", "_granian", "granian", "flask_appbuilder", "amqp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
