"""What is kept of papers: the archive's packages, Word templates, the documents made from them."""

from processes.document.models.archive import BROKEN, CHANGEABLE, FILED, WAITING, ArchivePackage
from processes.document.models.word import FAILED, QUEUED, SENT, WordDocument, WordTemplate, WordTemplateVersion

__all__ = [
    "BROKEN",
    "CHANGEABLE",
    "FAILED",
    "FILED",
    "QUEUED",
    "SENT",
    "WAITING",
    "ArchivePackage",
    "WordDocument",
    "WordTemplate",
    "WordTemplateVersion",
]
