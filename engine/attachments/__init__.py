"""Files people hang on records: bytes in the data folder under their hash, everything else in the database."""

from engine.attachments.store import (
    LARGEST,
    adopt,
    chunks,
    discard,
    hang,
    hash_of,
    install,
    loose,
    of_records,
    path_of,
    scratch,
    store,
    sweep,
    sweep_bytes,
)

__all__ = [
    "LARGEST",
    "adopt",
    "chunks",
    "discard",
    "hang",
    "hash_of",
    "install",
    "loose",
    "of_records",
    "path_of",
    "scratch",
    "store",
    "sweep",
    "sweep_bytes",
]
