"""What the archive declares: its register, read-only."""

from __future__ import annotations

from engine import states
from engine.catalog import Column, Manifest, Register
from engine.i18n import _
from processes.document import permissions, rules
from processes.document.models import ArchivePackage

ARCHIVE = Register(
    name="document.archive",
    title=_("Filed processes"),
    model=ArchivePackage,
    group="process",
    icon="files",
    columns=(
        Column("number", _("File number")),
        Column("title", _("Title")),
        Column("process", _("Process")),
        Column("starter_name", _("Applicant")),
        Column("outcome", _("Ended as"), kind="state", choices={k: states.INSTANCE[k] for k in rules.ENDINGS}),
        Column("ended_at", _("Ended at"), kind="datetime", phone=False),
        Column("filed_at", _("Filed at"), kind="datetime"),
        Column("keep_until", _("Keep until"), kind="date", phone=False),
        Column("state", _("State"), kind="state", choices={"filed": _("Whole"), "broken": _("Damaged")}),
    ),
    fields=(
        Column("parts", _("Files in it"), kind="number"),
        Column("size", _("Bytes"), kind="number"),
        Column("sha256", _("SHA-256")),
        Column("checked_at", _("Last checked"), kind="datetime"),
    ),
    search=("number", "title", "starter_name", "process"),
    scope=permissions.visible_to,
)

MANIFEST = Manifest(title=_("Archive"), registers=(ARCHIVE,))
