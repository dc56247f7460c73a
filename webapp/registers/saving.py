"""Saving what was typed into a register's form: each refusal in its place, and nothing typed is lost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, ClassVar

from flask import make_response, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.wrappers import Response as BaseResponse

from engine import db
from engine.catalog import Register
from engine.db import Sessions
from engine.errors import AppError, Conflict, Forbidden, InvalidForm, NotFound
from engine.i18n import Sentence, _
from webapp.registers import history, opened
from webapp.registers.fields import Form
from webapp.registers.interface import read_key
from webapp.registers.opened import Opened
from webapp.security.access import current_actor
from webapp.skin import formats


class Saving:
    """The part of a register's view that saves."""

    register: ClassVar[Register]
    datamodel: Any

    @abstractmethod
    def may_change(self, _record: Any) -> bool:
        """Whether the asker may change this very record; the operation asks again."""

    @abstractmethod
    def name_of(self, record: Any) -> str:
        """What the record is called."""

    @abstractmethod
    def key_of(self, record: Any) -> int:
        """Its id."""

    def sealed(self, record: Any, fields: Iterable[str] = ()) -> str:
        """What the asker knows of a record by a page or a form (of these fields) that he opens."""
        return opened.seal(current_actor(), self.register.name, self.key_of(record), self.name_of(record), fields)

    def changeable(self, pk: Any) -> Any:
        """The record whose form is asked for; where it cannot be changed (any more), the refusal says why."""
        record = self.datamodel.get(pk)
        if record is not None and self.may_change(record):
            return record
        if (known := self._brought(pk)) is not None:
            message, remedy = self.why_no_longer(record, known)
            raise (NotFound if record is None else Forbidden)(message, remedy=remedy)
        if record is not None:
            message, remedy = self.why_not(record)
            raise Forbidden(message, remedy=remedy)
        raise opened.not_here()

    def gone(self, pk: Any) -> NotFound:
        """What is said of a record the asker does not see: to whoever had it open, that it has gone from him."""
        known = self._brought(pk)
        if known is None:
            return NotFound()
        message, remedy = self.why_no_longer(None, known)
        return NotFound(message, remedy=remedy)

    def _brought(self, pk: Any) -> Opened | None:
        return opened.unseal(current_actor(), self.register.name, read_key(pk) or 0, opened.brought())

    def save_or_say(
        self, pk: str, save: Callable[[Any], BaseResponse], draw: Callable[[Form, Opened], str]
    ) -> BaseResponse:
        """Save what was typed about a record; where it is no longer the asker's to change since he opened the form, say
        so in it, and of a record he no longer sees what he knew of it then.
        """
        record = self.datamodel.get(pk)
        if record is not None and self.may_change(record):
            with suppress(NotFound):  # it went this very moment
                return save(record)
        known = self._brought(pk)
        if known is None:
            raise NotFound
        form = Form(self.register, is_new=False)
        form.fields = [one for one in form.fields if one.name in known.fields]
        form.read(Sessions(), current_actor(), request.form)
        form.opened = opened.brought()
        form.say_only(*self.why_no_longer(self.datamodel.get(pk), known))
        return make_response(draw(form, known), 422)

    def why_no_longer(self, _record: Any, known: Opened) -> tuple[Sentence, Sentence]:
        """What happened since the form was opened, and what helps; _record: None when he no longer sees it."""
        return (
            _("{name} is no longer yours to change: that was decided after you had opened this form.", name=known.name),
            _("Ask whoever is responsible for it now."),
        )

    def why_not(self, record: Any) -> tuple[Sentence, Sentence]:
        """Why somebody who sees it may not change it, and what helps."""
        return (
            _("{name} is not yours to change.", name=self.name_of(record)),
            _("Ask whoever is responsible for it."),
        )

    def _write_typed(self, form: Form, operation: Callable[[Session, Any, int | None], Any], key: int) -> Any:
        """Read what was typed and run the operation with it and the version it was typed over; None = refused."""
        form.opened, version = request.form.get(opened.KEPT, ""), request.form.get("version", "")
        values = form.read(Sessions(), current_actor(), request.form)
        if form.refused:
            return None
        seen = int(version) if version.isdecimal() else None
        return self._write(form, lambda session: operation(session, values, seen), key=key)

    def _write(self, form: Form, operation: Callable[[Any], Any], key: int | None = None) -> Any:
        """Run the operation in one transaction. Refused: each reason goes to its field, the input stays."""
        try:
            with db.transaction() as session:
                return operation(session)
        except InvalidForm as refusal:
            form.refuse((p.where, p.message, p.remedy) for p in refusal.problems)
        except (Conflict, StaleDataError) as refusal:
            form.refuse(
                [("", self._stale(refusal, key), _("Reload to see the present state; your input is kept below."))]
            )
        except NotFound:
            raise
        except AppError as refusal:
            problems = [(p.where, p.message, p.remedy) for p in refusal.problems]
            form.refuse([("", refusal.message, refusal.remedy), *problems])
        except IntegrityError:
            form.refuse([("", _("This collides with another record that was saved at the same time."), None)])
        return None

    def _stale(self, refusal: Exception, key: int | None) -> Sentence:
        """Who was faster, from the audit; the operation's own words when it does not say."""
        newest = history.changes(Sessions(), self.register, key)[:1] if key is not None else ()
        if newest:
            return _(
                "{who} changed this at {when}, after you had opened it.",
                who=newest[0].who,
                when=formats.instant(newest[0].at),
            )
        return refusal.message if isinstance(refusal, AppError) else _("Somebody else changed this in the meantime.")
