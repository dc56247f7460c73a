"""What webhooks declare: the right to make them."""

from __future__ import annotations

from engine.catalog import Manifest, Permission
from engine.i18n import _
from processes.webhooks import permissions

MANIFEST = Manifest(
    title=_("Webhooks and robots"),
    permissions=(Permission(permissions.MANAGE, _("Make webhooks and see what they were told")),),
)
