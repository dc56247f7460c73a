"""The bench of the wires still runs, and what it counts leaves in few batches."""

from __future__ import annotations

import pytest

from engine import delivering
from tests.bench import outbox as bench

pytestmark = pytest.mark.usefixtures("session")


def test_a_thousand_mails_leave_in_few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    send = delivering._send

    def counted(handler: object, chunk: list[object]) -> object:
        sizes.append(len(chunk))
        return send(handler, chunk)  # type: ignore[arg-type]

    monkeypatch.setattr(delivering, "_send", counted)
    assert bench.ours(1000) > 0
    assert sum(sizes) == 1000
    assert len(sizes) < 25  # one at first, doubled as long as they leave in a moment, kept from batch to batch
