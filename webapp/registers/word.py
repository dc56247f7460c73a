"""The registers of Word templates and of documents: a record's page leads to its form and to its files."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask_appbuilder import AppBuilder, expose
from werkzeug.wrappers import Response as BaseResponse

from engine.i18n import Sentence, _
from processes.document.manifest import DOCUMENTS, TEMPLATES
from processes.document.permissions import MAKE_DOCUMENTS, MANAGE_TEMPLATES
from webapp.registers.build import add_register, view_of
from webapp.registers.nothing_yet import WAYS, Way
from webapp.registers.views import RegisterView, guard
from webapp.security.access import current_actor


def _by_filling_in() -> tuple[Way, ...]:
    if not current_actor().may(MAKE_DOCUMENTS):
        return ()
    return ((url_for("documents.index"), "pencil", _("Choose a template")),)


def _by_uploading() -> tuple[Way, ...]:
    if not current_actor().may(MANAGE_TEMPLATES):
        return ()
    return ((url_for("documents.upload"), "upload", _("Upload a template")),)


WAYS[DOCUMENTS.name], WAYS[TEMPLATES.name] = _by_filling_in, _by_uploading


class TemplatesView(RegisterView):
    register = TEMPLATES

    def links_of(self, record: Any) -> tuple[tuple[str, str, Sentence], ...]:
        actor, links = current_actor(), []
        if actor.may(MANAGE_TEMPLATES):
            links.append((url_for("documents.upload", code=record.code), "upload", _("New version")))
        if actor.may(MAKE_DOCUMENTS) and record.state == "active":
            links.append((url_for("documents.make", code=record.code), "pencil", _("Fill in")))
        return tuple(links)


class DocumentsView(RegisterView):
    register = DOCUMENTS

    @expose("/show/<pk>")
    @guard("open")
    def show(self, pk: str) -> BaseResponse:
        """A document's page is that of its files."""
        return redirect(url_for("documents.show", document_id=self._record(pk).id))


def add_views(appbuilder: AppBuilder) -> None:
    add_register(appbuilder, view_of(TEMPLATES, TemplatesView))
    add_register(appbuilder, view_of(DOCUMENTS, DocumentsView))
