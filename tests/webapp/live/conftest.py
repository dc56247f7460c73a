"""Fixtures of tests/webapp/callers.py for this folder."""

from tests.webapp.callers import app, application, people, settings, started

__all__ = ["app", "application", "people", "settings", "started"]
