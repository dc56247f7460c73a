"""Files people hang on records: bytes in the data folder under their hash, everything else in the database."""

from engine.attachments.store import LARGEST, chunks, discard, install, path_of, store, sweep, sweep_bytes

__all__ = ["LARGEST", "chunks", "discard", "install", "path_of", "store", "sweep", "sweep_bytes"]
