"""What is done with webhooks by itself."""

from __future__ import annotations

from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.webhooks import operations


@periodic("webhooks.sweep", seconds=3600)
def sweep() -> None:
    """Forget what other systems were told, and told us, long ago."""
    with transaction() as session:
        operations.sweep(session)
        operations.sweep_receptions(session)
        operations.sweep_lines(session)
    Sessions.remove()
