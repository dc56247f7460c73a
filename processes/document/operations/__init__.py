"""Printing an instance, filing its package, checking that the archive still holds what it was given."""

from processes.document.operations.checking import broken_packages, check_some, standing
from processes.document.operations.filing import file_package, mark_for_filing, package_of, to_file
from processes.document.operations.printed import PrintedInstance, install_address, printed
from processes.document.operations.rendering import WORD_TYPE, as_html, as_word

__all__ = [
    "WORD_TYPE",
    "PrintedInstance",
    "as_html",
    "as_word",
    "broken_packages",
    "check_some",
    "file_package",
    "install_address",
    "mark_for_filing",
    "package_of",
    "printed",
    "standing",
    "to_file",
]
