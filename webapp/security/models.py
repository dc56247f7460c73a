"""What the house remembers of logins beside FAB's own tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Id


class LoginLog(Base):
    """One attempt to sign in, kept for auditors; the lock after wrong passwords is read from it."""

    __tablename__ = "login_log"
    __table_args__ = (Index("ix_login_log_name", "name", "id"), Index("ix_login_log_at", "at"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(128))
    """what was typed as user name, lower case; it need not exist"""
    user_id: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(10))
    """ok | wrong | locked | inactive | logout | unlocked"""
    road: Mapped[str] = mapped_column(String(8))
    """page | api | command"""
    address: Mapped[str] = mapped_column(String(45), default="")
    client: Mapped[str] = mapped_column(String(200), default="")


class ApiKey(Base):
    """A key a program signs in with, in a person's name and with that person's rights."""

    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("sha256"), Index("ix_api_key_user", "user_id", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Integer)
    """the login (ab_user)"""
    name: Mapped[str] = mapped_column(String(100))
    """what it is for"""
    hint: Mapped[str] = mapped_column(String(12))
    """how the key begins, so that its owner knows which one it is"""
    sha256: Mapped[str] = mapped_column(String(64))
    """of the key, which is random and long enough to need no slower hash"""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    """to the hour"""
