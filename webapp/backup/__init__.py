"""A whole house in one file: every row and every attachment, readable by either database and by later releases.

The file is a ZIP: `manifest.json` (format, schema revision, columns and SHA-256 of every part), `tables/<name>.jsonl`
(one row per line, in the manifest's column order) and `attachments/…`. Secrets of the environment are not in it.
"""

from webapp.backup.chains import broken_links
from webapp.backup.read import restore
from webapp.backup.write import backup

__all__ = ["backup", "broken_links", "restore"]
