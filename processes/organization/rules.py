"""What must hold in a department tree, a line of command, and the picture of a signature."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from engine.errors import Problem, RuleViolation
from engine.i18n import Sentence, _
from processes.organization.models import Department, Employee


def path_below(parent: Department | None, department_id: int) -> str:
    """The path of a department under this parent: "/1/4/"."""
    return f"{parent.path if parent else '/'}{department_id}/"


def check_parent(department: Department, parent: Department | None) -> None:
    """A department cannot stand below itself, nor below an archived one."""
    if parent is None:
        return
    if department.path and parent.path.startswith(department.path):
        raise RuleViolation(
            _(
                "{department} cannot be placed below {parent}: that would be a circle.",
                department=department.name,
                parent=parent.name,
            ),
            code="department_circle",
        )
    if parent.state != "active":
        raise RuleViolation(
            _("{parent} is archived and takes no further departments.", parent=parent.name), code="department_archived"
        )


def check_superior(employee: Employee, line_of_superior: Sequence[Employee]) -> None:
    """Nobody is their own superior, at any distance. `line_of_superior`: the new superior and everyone above."""
    if any(person.id == employee.id for person in line_of_superior):
        raise RuleViolation(
            _(
                "{superior} answers to {employee} and cannot be their superior: that would be a circle.",
                superior=line_of_superior[0].name,
                employee=employee.name,
            ),
            code="superior_circle",
        )


def nth_active(line: Sequence[Employee], levels: int) -> Employee | None:
    """The n-th person up the line who is still with us; the topmost when it is shorter, None when it is empty."""
    active = [person for person in line if person.is_active]
    return active[min(levels, len(active)) - 1] if active else None


# ------------------------------------------------------------------------------------------------- signatures

SIGNATURE_BYTES = 200 * 1024
SIGNATURE_SIZES = ((60, 1200), (20, 600))
"""(narrowest, widest), (lowest, highest), in dots"""

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST = 1200 * 600 * 8 + 4096
"""Bytes of the largest allowed picture once unpacked: 16 bits for each of four colours, with room for its lines."""


def check_signature(content: bytes) -> None:
    """A signature is a whole, small PNG: it goes into every print and package, and must be readable for decades."""
    if not content:
        raise _no_signature(_("Please choose a picture."))
    if len(content) > SIGNATURE_BYTES:
        raise _no_signature(_("The picture is larger than {limit} KB.", limit=SIGNATURE_BYTES // 1024))
    if not content.startswith(_PNG):
        raise _no_signature(_("The picture is not a PNG."))
    chunks = list(_chunks(content))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1][0] != b"IEND":
        raise _no_signature(_("The picture is damaged."))
    (narrow, wide), (low, high) = SIGNATURE_SIZES
    width, height = struct.unpack(">II", chunks[0][1][:8])
    if not (narrow <= width <= wide and low <= height <= high):
        raise _no_signature(
            _(
                "The picture has {width} × {height} dots; between {narrow} × {low} and {wide} × {high} fit.",
                width=width, height=height, narrow=narrow, low=low, wide=wide, high=high,
            )
        )  # fmt: skip
    unpacker = zlib.decompressobj()
    try:
        dots = unpacker.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"), _MOST)
    except zlib.error:
        dots = b""
    if not dots or not unpacker.eof:
        raise _no_signature(_("The picture is damaged."))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a PNG, (kind, data); it ends early where a checksum does not hold."""
    at = len(_PNG)
    while at + 12 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        checksum = png[at + 8 + length : at + 12 + length]
        if len(checksum) != 4 or struct.unpack(">I", checksum)[0] != zlib.crc32(kind + data):
            return
        yield kind, data
        at += 12 + length


def _no_signature(reason: Sentence) -> RuleViolation:
    return RuleViolation(
        _("This cannot serve as a signature."), code="signature_refused", problems=(Problem("signature", reason),)
    )
