"""The database's schema through the releases (Alembic)."""
