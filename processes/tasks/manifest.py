"""What tasks declare: the rights beyond one's own."""

from __future__ import annotations

from engine.catalog import Manifest, Permission
from engine.i18n import _
from processes.tasks import permissions

MANIFEST = Manifest(
    title=_("Tasks"),
    permissions=(
        Permission(permissions.READ, _("Read everybody's tasks")),
        Permission(permissions.MANAGE, _("Give anybody's tasks to somebody else")),
    ),
)
