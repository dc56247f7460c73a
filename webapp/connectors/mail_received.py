"""Mails that came in: the list, one mail with its files, its HTML in a frame that can do nothing."""

from __future__ import annotations

from flask import Response, render_template, request

from engine.db import Sessions
from engine.errors import NotFound
from webapp.connectors import by_hand, mail_reading
from webapp.connectors.mail_reading import Wanted
from webapp.connectors.messages import pages
from webapp.security.access import current_actor, signed_in

_FRAME = "allow-popups allow-popups-to-escape-sandbox"
"""Links open in tabs of their own; scripts, forms and the site's origin stay out."""
_POLICY = (
    f"sandbox {_FRAME}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def _is_partial() -> bool:
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


@pages.get("/messages/mail-received", endpoint="mail_received")
@signed_in
def index() -> str:
    actor, wanted, session = current_actor(), Wanted.read(request.args), Sessions()
    found, has_more = mail_reading.mails(session, actor, wanted, before=request.args.get("before", type=int))
    return render_template(
        "workflow/mail_received/_list.html" if _is_partial() else "workflow/mail_received.html",
        mails=found,
        has_more=has_more,
        first_page="before" not in request.args,
        wanted=wanted,
        kinds=mail_reading.KINDS,
        boxes=() if _is_partial() else list(mail_reading.boxes(session)),
    )


@pages.get("/messages/mail-received/<int:mail_id>", endpoint="mail_received_show")
@signed_in
def show(mail_id: int) -> str:
    """One mail: as a drawer over the list, or as a page of its own."""
    session, actor = Sessions(), current_actor()
    mail = mail_reading.one(session, actor, mail_id)
    if mail is None:
        raise NotFound
    template = "workflow/mail_received/_mail.html" if _is_partial() else "workflow/mail_received/page.html"
    return render_template(
        template,
        mail=mail,
        frame=_FRAME,
        our_answers=mail_reading.answers_to(session, actor, mail),
        kept_with=by_hand.titled(session, actor, mail.record),
        kept_at=by_hand.page_of(*mail.record) if mail.record is not None else "",
    )


@pages.get("/messages/mail-received/<int:mail_id>/body", endpoint="mail_received_body")
@signed_in
def body(mail_id: int) -> Response:
    """Its HTML, cleaned: nothing in it runs, and nothing is fetched from outside."""
    page = mail_reading.page_of(Sessions(), current_actor(), mail_id)
    if page is None:
        raise NotFound
    return Response(
        page,
        content_type="text/html; charset=utf-8",
        headers={
            "Content-Security-Policy": _POLICY,
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "private, no-store",
        },
    )
