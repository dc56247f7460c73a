"""Whose choice a step's people are, and what must hold of people who are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy.orm import Session

from engine import policy as policies, repository
from engine.catalog import CATALOG
from engine.errors import Forbidden, InvalidForm, Problem
from engine.i18n import _
from engine.runtime.assign import is_approval
from engine.workflow.contract import Node

People = Mapping[str, Iterable[int]]


def picked_by(node: Node) -> str:
    """Who names this step's people: "starter", "approver" or "" (its rule does)."""
    return policies.read(node.properties).pick if is_approval(node) else ""


def known_people(session: Session, persons: Iterable[int], where: str = "to", most: int = 100) -> list[int]:
    """These people, each once, if every one is with the company; InvalidForm names those who are not."""
    wanted = list(dict.fromkeys(persons))
    if not wanted or len(wanted) > most:
        raise InvalidForm([Problem(where, _("Choose between 1 and {most} people.", most=most), rule="people")])
    directory = CATALOG.directory
    here = set(directory.active(session, wanted)) if directory is not None else set(wanted)
    unknown = [
        Problem(f"{where}.{n}", _("There is no such person, or they have left the company."), rule="people")
        for n, person in enumerate(wanted)
        if person not in here
    ]
    if unknown:
        raise InvalidForm(unknown)
    return wanted


def checked_at_start(
    session: Session, loaded: repository.Loaded, starter_id: int, reached: Iterable[str], people: People
) -> dict[str, list[int]]:
    """The people a starter names, checked; every step he will reach and has to name somebody for must be there."""
    named = {}
    for node_id, persons in people.items():
        node = loaded.compiled.nodes.get(node_id)
        if node is None or picked_by(node) != "starter":
            raise Forbidden(_("Who does “{step}” is not yours to choose.", step=node_id))
        named[node_id] = known_people(session, persons, where=f"people.{node_id}")
        check_own(node, starter_id, named[node_id])
    missing = [
        Problem(
            f"people.{id}", _("Choose who does “{step}”.", step=loaded.compiled.nodes[id].name or id), rule="pick_next"
        )
        for id in dict.fromkeys(reached)
        if picked_by(loaded.compiled.nodes[id]) == "starter" and not named.get(id)
    ]
    if missing:
        raise InvalidForm(missing)
    return named


def check_own(node: Node, starter_id: int, people: Iterable[int]) -> None:
    if starter_id in people and not policies.read(node.properties).own_allowed:
        raise InvalidForm([Problem(f"people.{node.id}", _("Nobody approves his own request."), rule="own_request")])
