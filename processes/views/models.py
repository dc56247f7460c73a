"""Views of lists that somebody keeps under a name, and what each reader makes of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json
from processes.kernel.columns import Stamped
from processes.organization.models import Department, Employee

_OF_DEPARTMENT = text("audience = 'department'")
_OF_EVERYBODY = text("audience = 'everybody'")
_DEFAULT = text("is_default")


class SavedView(Stamped, Base):
    """A question to a list with its order and columns. It is asked with the reader's own rights, never its keeper's."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("person_id", "register", "name_key"),
        Index(
            "uq_saved_view_department",
            "register",
            "department_id",
            "name_key",
            unique=True,
            postgresql_where=_OF_DEPARTMENT,
            sqlite_where=_OF_DEPARTMENT,
        ),
        Index(
            "uq_saved_view_everybody",
            "register",
            "name_key",
            unique=True,
            postgresql_where=_OF_EVERYBODY,
            sqlite_where=_OF_EVERYBODY,
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    register: Mapped[str] = mapped_column(String(60))
    """name of the list it asks"""
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    """whose it is"""
    name: Mapped[str] = mapped_column(String(40))
    name_key: Mapped[str] = mapped_column(String(80))
    """the name as names are compared: no two alike on one list"""
    audience: Mapped[str] = mapped_column(String(12), default="private")
    """private | department (with those below it) | everybody"""
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """with which department it is shared"""
    question: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """rules.Question as it is kept"""

    person: Mapped[Employee] = relationship()
    department: Mapped[Department | None] = relationship()

    def __str__(self) -> str:
        return self.name


class ListChoice(Base):
    """What one reader has made of a view, saved or ready-made: pinned to the sidebar, the default of its list."""

    __tablename__ = "list_choice"
    __table_args__ = (
        Index(
            "uq_list_choice_default",
            "person_id",
            "register",
            unique=True,
            postgresql_where=_DEFAULT,
            sqlite_where=_DEFAULT,
        ),
        {"sqlite_with_rowid": False},
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True, autoincrement=False)
    register: Mapped[str] = mapped_column(String(60), primary_key=True)
    chosen: Mapped[str] = mapped_column(String(60), primary_key=True)
    """id of a saved view, or the name of a ready-made one"""
    is_pinned: Mapped[bool | None]
    """null = as usual: what is shared is in the sidebar, what is private is not"""
    is_default: Mapped[bool] = mapped_column(default=False)
