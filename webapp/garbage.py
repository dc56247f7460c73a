"""When Python looks for what is gone: rarely while the house is built, in short breaks once it answers people.

Statements hold themselves in circles, so every page leaves a thousand objects or more that only the collector finds.
Gathered in one go every fifty requests they cost a tenth of a second, and whoever asked just then waits for it.
"""

from __future__ import annotations

import gc

WHILE_BUILDING = 50_000
"""objects between two looks; the modules are half a million that stay: at every 700th they cost half a second"""
ONCE_BUILT = 10_000
"""seven milliseconds each"""


def let_grow() -> None:
    """For a process that has begun."""
    gc.set_threshold(WHILE_BUILDING)


def settle() -> None:
    """For a process that is built and begins to answer: what is there stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ONCE_BUILT)
