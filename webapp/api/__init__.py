"""The interface integrators call: REST under /api/v1, described by its own OpenAPI document."""

from webapp.api.register import add_api

__all__ = ["add_api"]
