"""What the reports declare: the right to read them."""

from __future__ import annotations

from engine.catalog import Manifest, Permission
from engine.i18n import _
from processes.insight import permissions

MANIFEST = Manifest(
    title=_("Reports"),
    permissions=(Permission(permissions.TEAM, _("Reports on the customers of people below")),),
)
