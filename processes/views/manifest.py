"""What views of lists declare: the rights to share them. To keep one for oneself needs none."""

from __future__ import annotations

from engine.catalog import Manifest, Permission
from engine.i18n import _
from processes.views import permissions

MANIFEST = Manifest(
    title=_("Views of lists"),
    permissions=(
        Permission(permissions.SHARE, _("Share views of lists with one's own department")),
        Permission(permissions.SHARE_WITH_ALL, _("Share views of lists with everybody, and look after shared ones")),
    ),
)
