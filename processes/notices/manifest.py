"""What notices declare: nothing to grant, for everybody reads only their own."""

from __future__ import annotations

from engine.catalog import Manifest
from engine.i18n import _

MANIFEST = Manifest(title=_("Notices"))
