"""The tables of webhooks."""

from processes.webhooks.models.incoming import InboundHook, Reception
from processes.webhooks.models.outgoing import Webhook
from processes.webhooks.models.robots import Robot, RobotLine

__all__ = ["InboundHook", "Reception", "Robot", "RobotLine", "Webhook"]
