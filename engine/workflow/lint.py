"""Checks."""

from __future__ import annotations


def check(diagram, tables, files, known):
    return [*diagram.problems, *tables.problems]
