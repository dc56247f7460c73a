"""The workbench: the first page after the login."""

from webapp.home.pages import Workbench, add_pages

__all__ = ["Workbench", "add_pages"]
