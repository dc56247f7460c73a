"""Writing, mending, voiding and reading comments."""

from processes.comments.operations.reading import Shown, count, of_record, one
from processes.comments.operations.writing import MentionedCannotRead, add_comment, edit_comment, void_comment

__all__ = [
    "MentionedCannotRead",
    "Shown",
    "add_comment",
    "count",
    "edit_comment",
    "of_record",
    "one",
    "void_comment",
]
