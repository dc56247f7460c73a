"""What comments declare: the right to void what others wrote."""

from __future__ import annotations

from engine.catalog import Manifest, Permission
from engine.i18n import _
from processes.comments import permissions

MANIFEST = Manifest(
    title=_("Comments"),
    permissions=(Permission(permissions.MODERATE, _("Void anybody's comments, and read the files of voided ones")),),
)
