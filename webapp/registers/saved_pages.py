"""What the menu of a list's views does: keep what is asked, rename, share, pin, open first, remove."""

from __future__ import annotations

import secrets
from typing import Any, cast
from urllib.parse import parse_qsl

from flask import flash, make_response, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.catalog import Register
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import _
from processes.views import operations, permissions
from processes.views.models import SavedView
from webapp.once import once
from webapp.registers import listing, saved
from webapp.registers.interface import endpoint_of
from webapp.security.access import current_actor, signed_in


class SavedViewsView(BaseView):
    """Its addresses only take forms of the lists."""

    route_base = "/views"
    default_view = "keep"

    @expose("/of/<name>", methods=["POST"])
    @signed_in
    def keep(self, name: str) -> BaseResponse:
        """form: asked (the list's address), name, audience, pinned, default."""
        actor, form = current_actor(), request.form
        register = permissions.list_of(actor, name)
        question = saved.question_of(_asked(register))

        def work(session: Session) -> dict[str, Any]:
            view = operations.save_view(
                session,
                actor,
                register=name,
                name=form.get("name", ""),
                question=question,
                audience=form.get("audience", "private"),
            )
            wants = {wish: True for wish in ("pinned", "default") if wish in form}
            if wants:
                operations.choose(session, actor, register=name, chosen=str(view.id), **wants)
            return {"id": view.id, "name": view.name}

        try:
            made = once(actor, form.get("submission", ""), work)
        except NotFound:
            raise
        except AppError as refusal:
            return self._refused(register, refusal, None)
        flash(str(_("The view “{name}” is kept.", name=made["name"])), "success")
        return _go(list_url(register) + f"?saved={made['id']}")

    @expose("/<int:view_id>/<any(rename, replace, remove):deed>", methods=["POST"])
    @signed_in
    def act(self, view_id: int, deed: str) -> BaseResponse:
        """form: version; rename: name, audience; replace: asked."""
        actor, form = current_actor(), request.form
        view = permissions.readable(Sessions(), actor, view_id)
        register, version, name = permissions.list_of(actor, view.register), form.get("version", type=int), view.name
        question = saved.question_of(_asked(register)) if deed == "replace" else None

        def work(session: Session) -> None:
            if deed == "remove":
                operations.remove_view(session, actor, view_id=view_id, version=version)
                return
            operations.change_view(
                session,
                actor,
                view_id=view_id,
                version=version,
                name=form.get("name") if deed == "rename" else None,
                audience=form.get("audience") if deed == "rename" else None,
                question=question,
            )

        try:
            runtime.perform(work)
        except NotFound:
            raise
        except AppError as refusal:
            return self._refused(register, refusal, view_id)
        if deed == "remove":
            flash(str(_("The view “{name}” is gone.", name=name)), "success")
            return _go(list_url(register) + "?view=")
        flash(str(_("The view is saved.")), "success")
        return _go(list_url(register) + f"?saved={view_id}")

    @expose("/of/<name>/choose", methods=["POST"])
    @signed_in
    def choose(self, name: str) -> BaseResponse:
        """form: chosen; pinned or default: yes | no."""
        actor, form = current_actor(), request.form
        register = permissions.list_of(actor, name)
        wishes = {wish: form[wish] == "yes" for wish in ("pinned", "default") if wish in form}
        runtime.perform(
            lambda session: (
                operations.choose(session, actor, register=name, chosen=form.get("chosen", ""), **wishes).chosen
            )
        )
        back = form.get("asked", "")
        return _go(list_url(register) + (back if back.startswith("?") else "?view="))

    def _refused(self, register: Register, refusal: AppError, view_id: int | None) -> BaseResponse:
        """Beside the field that is wrong, in the dialog that asked; without script, above the list."""
        Sessions().rollback()
        if "HX-Request" not in request.headers or request.form.get("quiet"):
            problems = "".join(f" {one.message} {one.remedy or ''}" for one in refusal.problems)
            flash(problems.strip() or str(refusal), "danger")
            back = request.form.get("asked", "")
            return _go(list_url(register) + (back if back.startswith("?") else "?view="))
        view = Sessions().get(SavedView, view_id) if view_id is not None else None
        page = self.render_template(
            "yl/register/view_form.html",
            view=view,
            register=register,
            audiences=saved.audiences(current_actor(), view),
            typed=request.form,
            asked_for=request.form.get("asked", ""),
            submission=secrets.token_urlsafe(12),
            problems={one.where: [f"{one.message} {one.remedy or ''}".strip()] for one in refusal.problems},
            alerts=[] if refusal.problems else [str(refusal)],
        )
        return make_response(cast(str, page), 422)


def list_url(register: Register) -> str:
    return url_for(f"{endpoint_of(register.name)}.list")


def _asked(register: Register) -> listing.Asked:
    """What the list was asked when its form was drawn."""
    args: MultiDict[str, str] = MultiDict(_pairs(request.form.get("asked", "")))
    return saved.asked(register, args)


def _pairs(address: str) -> list[tuple[str, str]]:
    return parse_qsl(address.removeprefix("?"), keep_blank_values=True)


def _go(address: str) -> BaseResponse:
    """Onward; a form that htmx sent is told so instead of being answered with the page."""
    if "HX-Request" in request.headers:
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = iri_to_uri(address)
        return answer
    return redirect(address)
