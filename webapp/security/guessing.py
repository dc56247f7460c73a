"""Keeps people from trying out telephone numbers until one of them finds whose masked one it is (row 65)."""

from __future__ import annotations

import logging

from limits import parse
from limits.strategies import RateLimiter

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.party import rules

logger = logging.getLogger(__name__)

_FIRST = parse("1 per day")
MOST_ALIKE = 20
_ALIKE = parse(f"{MOST_ALIKE} per day")
"""Different numbers of one mask (138****1234) that one person asks for: who deals with people meets two in a year."""


class TooManyGuesses(RuleViolation):
    status = 429
    code = "too_many_guesses"


class Guesses:
    """Counted where calls of the interface are: in Redis, or in each process for itself."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    def __call__(self, actor: Actor, number: str) -> None:
        """number: E.164. The same number once more is no further guess."""
        person = str(actor.person_id)
        if actor.person_id == 0 or not self._limiter.test(_FIRST, "asked-number", person, number):
            return
        mask = str(rules.masked("phone", number))
        if not self._limiter.hit(_ALIKE, "guessed-number", person, mask):
            logger.warning("party.numbers_guessed", extra={"person_id": actor.person_id, "mask": mask})
            raise TooManyGuesses(
                _("You have asked for many numbers like {mask} today.", mask=mask),
                remedy=_("Look for the name instead, or ask whoever works on the customer."),
            )
        self._limiter.hit(_FIRST, "asked-number", person, number)  # a refused one is asked anew
