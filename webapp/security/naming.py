"""Our permission names and FAB's pairs are the same thing written twice."""

from __future__ import annotations


def named(permission: str, view: str) -> str:
    """FAB's pair as our name: ("can_manage", "organization.employee") -> "organization.employee.manage"."""
    return f"{view}.{permission.removeprefix('can_')}"


def pair(name: str) -> tuple[str, str]:
    """Our name as FAB's pair (permission, view)."""
    view, _dot, verb = name.rpartition(".")
    return f"can_{verb}", view
