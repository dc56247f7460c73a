"""Printing, filing and checking instances; Word templates, documents made from them, files compared."""

from processes.document.operations import topics
from processes.document.operations.checking import broken_packages, check_some, standing
from processes.document.operations.comparing import compare_files, revisions_of, settle_revisions
from processes.document.operations.documents import (
    document_of,
    keep_pdf,
    make_document,
    note_no_pdf,
    print_again,
    print_instance,
)
from processes.document.operations.filing import file_package, mark_for_filing, package_of, to_file
from processes.document.operations.printed import PrintedInstance, install_address, printed
from processes.document.operations.rendering import WORD_TYPE, as_html, as_word
from processes.document.operations.templates import (
    archive_template,
    looked_over,
    newest_version,
    ship_templates,
    upload_template,
    usable,
    versions_of,
)

__all__ = [
    "WORD_TYPE",
    "PrintedInstance",
    "archive_template",
    "as_html",
    "as_word",
    "broken_packages",
    "check_some",
    "compare_files",
    "document_of",
    "file_package",
    "install_address",
    "keep_pdf",
    "looked_over",
    "make_document",
    "mark_for_filing",
    "newest_version",
    "note_no_pdf",
    "package_of",
    "print_again",
    "print_instance",
    "printed",
    "revisions_of",
    "settle_revisions",
    "ship_templates",
    "standing",
    "to_file",
    "topics",
    "upload_template",
    "usable",
    "versions_of",
]
