"""How many calls somebody may make: counted for each person, and for each address that shows no valid credentials."""

from __future__ import annotations

import time
from math import ceil

from flask import Flask, current_app
from limits import RateLimitItem, parse
from limits.strategies import RateLimiter

from engine.errors import AppError
from engine.i18n import Sentence, _

EXTENSION = "yl-api-limits"


class TooMany(AppError):
    """Wait, then go on."""

    status = 429
    code = "too_many_requests"

    def __init__(self, message: Sentence, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Limits:
    def __init__(self, limiter: RateLimiter, text: str) -> None:
        self._limiter = limiter
        self._item: RateLimitItem = parse(text)

    def spend(self, who: str) -> None:
        """One call of `who`; TooMany when the budget of the present window is used up."""
        if self._limiter.hit(self._item, "api", who):
            return
        reset_at, _left = self._limiter.get_window_stats(self._item, "api", who)
        wait = max(1, ceil(reset_at - time.time()))
        raise TooMany(_("Too many calls. Try again in {seconds} seconds.", seconds=wait), wait)


def init_app(app: Flask, limiter: RateLimiter, text: str) -> None:
    app.extensions[EXTENSION] = Limits(limiter, text)


def limits() -> Limits:
    found: Limits = current_app.extensions[EXTENSION]
    return found
