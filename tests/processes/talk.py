"""A process of 李娜's that waits for 王芳, to talk about: shared by the tests of comments, notices and tasks."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import repository, runtime
from engine.actor import SYSTEM
from processes.organization.models import Employee
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import Company, actor_of
from webapp import bootstrap

INSTANCE = "process.instance"


def running(session: Session, company: Company) -> int:
    """Id of the instance, committed. Its readers: 李娜 who started it, 王芳 who must handle it."""
    bootstrap.join_parts()
    repository.forget_all()
    d = Drawing("talk")
    d.start()
    d.user("look", camunda_assignee="superior")
    d.end()
    d.chain("start", "look", "end")
    repository.deploy(session, SYSTEM, {"talk.bpmn": d.xml()})
    started = runtime.start(session, actor_of(company.li), "talk", variables={})
    session.commit()
    return started.instance_id


def leave(session: Session, person: Employee) -> None:
    person.state = "left"
    session.commit()
