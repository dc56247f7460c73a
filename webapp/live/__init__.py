"""Live pages: server-sent events of what changed for the person in front of them."""

from webapp.live.hub import Hub
from webapp.live.stream import PATH, Streams

__all__ = ["PATH", "Hub", "Streams"]
