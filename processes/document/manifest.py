"""What papers declare: the registers of filed processes, of Word templates and of documents, and the rights."""

from __future__ import annotations

from engine import states
from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.document import operations, permissions, rules
from processes.document.models import ArchivePackage, WordDocument, WordTemplate

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
    empty=_("A process is filed here by itself when it has ended, with everything that was said and attached."),
    scope=permissions.visible_to,
)

TEMPLATES = Register(
    name=permissions.TEMPLATE,
    title=_("Document templates"),
    model=WordTemplate,
    group="",
    icon="file-text",
    order_by=("title", "asc"),
    columns=(
        Column("title", _("Title")),
        Column("code", _("Code")),
        Column("number", _("Version"), kind="number"),
        Column("changed_at", _("Changed at"), kind="datetime", phone=False),
        Column("changed_by", _("Changed by"), kind="person", phone=False),
        Column("state", _("State"), kind="state", choices={"active": _("Active"), "archived": _("Archived")}),
    ),
    search=("title", "code"),
    empty=_("Word files with places to fill in; documents are made from them."),
    scope=permissions.visible_templates,
    archive=operations.archive_template,
)

DOCUMENTS = Register(
    name=permissions.DOCUMENT,
    title=_("Documents"),
    model=WordDocument,
    group="office",
    icon="files",
    columns=(
        Column("name", _("Name")),
        Column("template_title", _("Template"), sortable=False),
        Column("created_by", _("Made by"), kind="person"),
        Column("created_at", _("Made at"), kind="datetime"),
        Column("pages", _("Pages"), kind="number", phone=False),
        Column(
            "state",
            _("PDF"),
            kind="state",
            choices={"queued": _("Being made"), "sent": _("Done"), "failed": _("Failed")},
        ),
    ),
    search=("name",),
    empty=_("Contracts and letters made from a Word template will stand here, each with its PDF."),
    scope=permissions.visible_documents,
)

MANIFEST = Manifest(
    title=_("Papers"),
    registers=(ARCHIVE, TEMPLATES, DOCUMENTS),
    permissions=(
        Permission(permissions.MAKE_DOCUMENTS, _("Make documents from Word templates")),
        Permission(permissions.READ_DOCUMENTS, _("Read all documents made from Word templates")),
        Permission(permissions.MANAGE_TEMPLATES, _("Upload and archive Word templates")),
    ),
)
