"""The inbox: lists at the left, the chosen item at the right; every item has its own address."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import clock, history, repository, runtime, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound
from engine.forms.check import PERSON
from engine.history import VIEWS, View
from engine.i18n import Sentence, _
from engine.models import Copy, Definition, Instance, WorkItem
from engine.work_items.rights import holds
from processes.approval.operations import urge_right
from webapp.once import once
from webapp.security.access import current_actor, signed_in
from webapp.workflow import batch, deeds, holders, item, lists, posted, precedents, processes
from webapp.workflow.batch import Batch
from webapp.workflow.deeds import DEEDS, ORDERS
from webapp.workflow.lists import Listing, Wanted
from webapp.workflow.refusals import as_told

pages = Blueprint("inbox", __name__)

TITLES: dict[View, Sentence] = {
    "open": _("To do"),
    "done": _("Done"),
    "started": _("My requests"),
    "cc": _("Copies"),
    "delegated": _("With others for me"),
    "team": _("My team"),
}

DONE = {
    "approve": _("Approved."),
    "reject": _("Rejected."),
    "return": _("Returned."),
    "abstain": _("You abstained."),
    "submit": _("Submitted."),
    "resolve": _("Your opinion is given."),
    **{action: deed.done for action, deed in DEEDS.items()},
}

PHRASES = {
    "approve": (_("Agreed."), _("Agreed, within the plan."), _("Agreed, mind the budget.")),
    "return": (_("Please add the details."), _("Please attach the receipts."), _("Please check the amount.")),
    "reject": (_("Not in the budget."), _("Not necessary at present."), _("Has been settled elsewhere.")),
}


def _view(name: str) -> View:
    if name not in VIEWS:
        raise NotFound
    return name


def _is_partial() -> bool:
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


# ------------------------------------------------------------------------------------------------- lists


@pages.get("/inbox")
@signed_in
def index() -> str:
    return _show("open", None)


@pages.get("/inbox/<view>")
@signed_in
def listing(view: str) -> str:
    return _show(_view(view), None)


@pages.get("/inbox/<view>/<int:key>")
@signed_in
def show(view: str, key: int) -> str:
    """One item in its list; asked for by the page itself, only the right pane."""
    return _show(_view(view), key)


@pages.get("/inbox/<view>/list")
@signed_in
def rows(view: str) -> str:
    """The left pane alone: a further page of it, or afresh when something has changed."""
    session, actor = Sessions(), current_actor()
    name = _view(view)
    size = min(max(lists.PAGE_SIZE, request.args.get("size", 0, type=int)), lists.MOST_LINES)
    before = request.args.get("before", type=int)
    found = lists.inbox(session, actor, name, Wanted.read(request.args), size=size, before=before)
    template = "workflow/_entries.html" if "before" in request.args else "workflow/_list.html"
    return render_template(
        template, **_list_context(session, actor, name, found), key=request.args.get("key", type=int)
    )


def _show(view: View, key: int | None) -> str:
    session, actor = Sessions(), current_actor()
    if key is not None and _is_partial():
        return _draw_pane(view, key, _pane(session, actor, view, key))
    found = lists.inbox(session, actor, view, Wanted.read(request.args))
    chosen = key
    if chosen is None and view != "cc":  # opening a copy marks it read: only on purpose
        chosen = next((entry.key for entry in found.entries if entry.line.readable), None)
    pane = _pane(session, actor, view, chosen) if chosen is not None else None
    return render_template(
        "workflow/inbox.html",
        **(_list_context(session, actor, view, found) | _pane_context(view, chosen, pane)),
        opened=key is not None,
    )


def _list_context(session: Session, actor: Actor, view: View, found: Listing) -> dict[str, Any]:
    return {
        "view": view,
        "listing": found,
        "titles": _titles(session, actor, view),
        "undone": history.UNDONE,
        "counts": history.counts(session, actor),
        "processes": _process_names(session),
        **_batch_context(Batch()),
    }


def _titles(session: Session, actor: Actor, shown: View) -> dict[View, Sentence]:
    """The lists this person has: a team only where somebody reports to them."""
    directory = CATALOG.directory
    leads = shown == "team" or (directory is not None and bool(directory.reports(session, actor.person_id)))
    return {view: title for view, title in TITLES.items() if view != "team" or leads}


def _batch_context(result: Batch) -> dict[str, Any]:
    return {"batch": result, "most": work_items.MOST, "submission": _submission}


def _submission() -> str:
    return secrets.token_urlsafe(12)


def _process_names(session: Session) -> list[tuple[str, str]]:
    """Processes a list can be narrowed to."""
    keys = session.execute(select(Definition.key, Definition.name).where(Definition.state == "active"))
    return sorted(((key, processes.title_of(key, name)) for key, name in keys), key=lambda one: one[1])


# ------------------------------------------------------------------------------------------------- the pane


def _pane(session: Session, actor: Actor, view: View, key: int) -> item.Pane:
    match view:
        case "open" | "done":
            return item.of_item(session, actor, key)
        case "delegated" | "team":
            pane = item.of_item(session, actor, key)
            seen = pane.subject
            return replace(pane, urge=urge_right(session, actor, seen.instance, seen.items))
        case "started":
            return item.of_instance(session, actor, key)
        case _:
            return item.of_instance(session, actor, _read_copy(actor, key))


def _read_copy(actor: Actor, copy_id: int) -> int:
    """The instance of a copy sent to this person; whoever opens it has read it."""
    found = (
        Sessions()
        .execute(select(Copy.instance_id, Copy.read_at).where(Copy.id == copy_id, Copy.person_id == actor.person_id))
        .first()
    )
    if found is None:
        raise NotFound
    if found.read_at is None:
        Sessions().rollback()  # a page reads only; this one line is written in a transaction of its own
        now = clock.now()
        runtime.perform(
            lambda session: session.execute(
                update(Copy).where(Copy.id == copy_id, Copy.read_at.is_(None)).values(read_at=now)
            )
        )
    return int(found.instance_id)


def _pane_context(view: View, key: int | None, pane: item.Pane | None) -> dict[str, Any]:
    return {
        "pane": pane,
        "key": key,
        "view": view,
        "wanted": Wanted.read(request.args),
        "phrases": PHRASES,
        "orders": ORDERS,
        "added": {order: holders.rule_in_words(f"added_{order}") for order in ORDERS},
        "submission": _submission,
        "person_lookup": url_for("start.lookup", reference=PERSON),
        "loose_files": item.loose_files(pane) if pane else (),
    }


def _draw_pane(view: View, key: int | None, pane: item.Pane | None, *, beside: bool = False) -> str:
    """beside: the answer to something else brings it along."""
    return render_template("workflow/_pane.html", **_pane_context(view, key, pane), beside=beside)


@pages.get("/work-items/<int:item_id>/before")
@signed_in
def what_came_before(item_id: int) -> str:
    """What the same kind of request got before: fetched by the pane, which does not wait for it."""
    return render_template("workflow/_before.html", before=precedents.of_item(Sessions(), current_actor(), item_id))


# ------------------------------------------------------------------------------------------------- deciding


@pages.post("/work-items/<int:item_id>/<action>")
@signed_in
def act(item_id: int, action: str) -> BaseResponse:
    """Decide, finish, take or give back an item; then the next one."""
    actor = current_actor()
    if action not in DONE:
        raise NotFound
    opinion = request.form.get("opinion", "").strip()
    version = request.form.get("version", type=int)
    values = _posted_values(item_id)

    def decide(session: Session) -> dict[str, Any]:
        if action in DEEDS:
            deeds.perform(session, actor, item_id, action, version, request.form)
        elif action == "resolve":
            work_items.resolve(session, actor, item_id, opinion=opinion, version=version)
        else:
            work_items.act(
                session,
                actor,
                item_id,
                action,
                version=version,
                opinion=opinion or request.form.get("words", "").strip(),
                values=values,
                to_step=request.form.get("step") or None,
                people=deeds.named_people(request.form),
            )
        return {}

    try:
        once(actor, request.form.get("submission", ""), decide)
    except AppError as refusal:
        people = deeds.named_people(request.form)
        typed = item.Typed(opinion or request.form.get("words", ""), values or {}, people, refusal, _faults(refusal))
        return _refused(actor, item_id, refusal, typed)
    return _next(actor, item_id, action)


@pages.post("/work-items/batch/<any(approve, reject):action>")
@signed_in
def act_on_many(action: str) -> BaseResponse:
    """Decide everything that is ticked alike; what was refused stays ticked, and the page says why."""
    actor = current_actor()
    result = batch.decide(actor, request.form, action)
    session, done = Sessions(), str(batch.in_words(result, action))
    if not _is_partial():
        return _many_in_full(session, actor, result, done)
    told: dict[str, Any] = {"yl:batch": {"done": result.done}, "yl:inbox": {"count": _open_count(session, actor)}}
    if result.done:
        told["yl:toast"] = {"text": done}
    bar = render_template("workflow/_batch.html", **_batch_context(result))
    response = make_response(bar, result.refusal.status if result.refusal else 200)
    key, wanted = request.form.get("key", type=int), Wanted.read(request.form)
    if key is not None and key in result.done:  # what stood at the right is dealt with: the next one
        key = _following(session, actor, key, wanted)
        pane = item.of_item(session, actor, key) if key else None
        response.set_data(bar + _draw_pane("open", key, pane, beside=True))
        response.headers["HX-Push-Url"] = _address(key, wanted)
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def _many_in_full(session: Session, actor: Actor, result: Batch, done: str) -> BaseResponse:
    """The answer for whoever has no scripts."""
    if result.done:
        flash(done, "success")
    if not result.left and not result.refusal:
        return redirect(url_for("inbox.index"))
    context = _list_context(session, actor, "open", lists.inbox(session, actor, "open", Wanted()))
    context |= _pane_context("open", None, None) | _batch_context(result)
    status = result.refusal.status if result.refusal else 200
    return make_response(render_template("workflow/inbox.html", **context, opened=False), status)


def _posted_values(item_id: int) -> dict[str, Any] | None:
    """The fields of this step, when the page offered any to change."""
    if posted.PRESENT not in request.form:
        return None
    found = Sessions().get(WorkItem, item_id)
    instance = Sessions().get(Instance, found.instance_id) if found else None
    if found is None or instance is None:
        raise NotFound
    loaded = repository.get(Sessions(), instance.definition_id)
    schema = loaded.form_of(found.node)
    return posted.values(schema, request.form, loaded.step_of(found.node)) if schema else None


def _faults(refusal: AppError) -> dict[str, str]:
    return refusal.by_field() if isinstance(refusal, InvalidForm) else {}


def _refused(actor: Actor, item_id: int, refusal: AppError, typed: item.Typed) -> BaseResponse:
    """The same item as it is now, what was typed, and beside the buttons why it was refused."""
    session = Sessions()
    session.rollback()
    present = session.get(WorkItem, item_id)
    if present is None or isinstance(refusal, NotFound):
        raise refusal
    refusal = as_told(refusal, present)
    dialog = request.form.get("dialog", "")
    if dialog and _is_partial():  # what was typed stays in the dialog; the refusal is shown in it
        response = make_response(render_template("workflow/_refusal.html", refusal=refusal), refusal.status)
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = f"#{dialog}-refusal", "innerHTML"
        return response
    if request.form.get("quick") and _is_partial():
        return make_response(render_template("workflow/_refusal.html", refusal=refusal), refusal.status)
    try:
        pane = item.of_item(session, actor, item_id, replace(typed, refusal=refusal))
    except NotFound:
        pane = None  # it lay in a pool and is now a colleague's: not ours to read any more
    context = _pane_context("open", item_id if pane else None, pane) | {"refusal": refusal}
    if not _is_partial():
        found = lists.inbox(session, actor, "open", Wanted())
        context |= _list_context(session, actor, "open", found)
        return make_response(render_template("workflow/inbox.html", **context, opened=True), refusal.status)
    response = make_response(render_template("workflow/_pane.html", **context), refusal.status)
    if pane is None or not pane.decisions:
        response.headers["HX-Trigger"] = json.dumps({"yl:inbox": {"count": _open_count(session, actor)}})
    return response


def _next(actor: Actor, item_id: int, action: str) -> BaseResponse:
    """What the page shows after a decision: the next item of the list, and a word of what was done."""
    session = Sessions()
    stays = action in DEEDS and DEEDS[action].stays and _mine(session, actor, item_id)
    back = request.args.get("back", type=int)
    wanted = Wanted.read(request.args)
    if back and _mine(session, actor, back):
        key: int | None = back
    else:
        key = item_id if stays else _following(session, actor, item_id, wanted)
    instance_id = session.scalar(select(WorkItem.instance_id).where(WorkItem.id == item_id))
    done = str(DONE[action])
    if not _is_partial():
        flash(done, "success")
        return redirect(url_for("inbox.show", view="open", key=key) if key else url_for("inbox.index"))
    toast = {"text": done, "href": url_for("instances.show", instance_id=instance_id), "link": str(_("Show"))}
    told = {"yl:toast": toast, "yl:inbox": {"count": _open_count(session, actor)}}
    if request.form.get("quick"):
        response = make_response("", 204)
    else:
        pane = item.of_item(session, actor, key) if key else None
        response = make_response(_draw_pane("open", key, pane))
        response.headers["HX-Push-Url"] = _address(key, wanted)
    response.headers["HX-Trigger"] = json.dumps(told)  # ASCII: a header holds nothing else
    return response


def _address(key: int | None, wanted: Wanted) -> str:
    """Of an open item in the list as it is narrowed."""
    narrowed: dict[str, Any] = dict(wanted.arguments())
    return url_for("inbox.show", view="open", key=key, **narrowed) if key else url_for("inbox.index", **narrowed)


def _mine(session: Session, actor: Actor, item_id: int) -> bool:
    found = session.get(WorkItem, item_id, populate_existing=True)
    return found is not None and found.state in ("open", "delegated") and holds(found, actor)


def _open_count(session: Session, actor: Actor) -> int:
    return history.counts(session, actor)["open"]


def _following(session: Session, actor: Actor, item_id: int, wanted: Wanted) -> int | None:
    """The item below the one just done, else the first."""
    for before in (item_id, None):
        found = lists.inbox(session, actor, "open", wanted, size=1, before=before)
        if found.entries:
            return found.entries[0].key
    return None
