"""The files of a multipart request, read once, with their size known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath

from werkzeug.datastructures import MultiDict
from werkzeug.datastructures.file_storage import FileStorage

LONGEST_NAME = 200
MOST_FILES = 50


@dataclass(frozen=True)
class Upload:
    field: str
    name: str
    """without folders and control characters; "" when the caller sent none"""
    content: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_uploads(files: MultiDict[str, FileStorage]) -> tuple[Upload, ...]:
    return tuple(
        Upload(field or "", plain_name(file.filename or ""), file.read()) for field, file in files.items(multi=True)
    )


def plain_name(given: str) -> str:
    """The last part of a file name, whichever system it comes from; a name that is too long keeps its ending."""
    name = PurePosixPath(PureWindowsPath(given).name).name
    name = "".join(sign for sign in name if sign.isprintable()).strip(". ") if name else ""
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}{dot}{ending}" if dot and len(ending) < 20 else name[:LONGEST_NAME]
