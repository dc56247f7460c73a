"""Who answers a wish to be stood in for."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.assignment import Candidates, Request, assignment
from engine.i18n import _
from processes.organization.models import Employee


@assignment("delegate", _("Whoever is asked to stand in"))
def delegate(session: Session, request: Request, _argument: str | None) -> Candidates:
    """The delegate of the delegation itself, also where he has filed it for a colleague: to accept is no approval."""
    named = request.variables.get("delegation") or {}
    person = session.get(Employee, int(named.get("delegate") or 0))
    if person is None or not person.is_active:
        return Candidates()
    return Candidates(persons=(person.id,), path=person.name)
