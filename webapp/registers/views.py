"""The base of every FAB model view in the house: a register's list, record and form on FAB's addresses."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ClassVar, TypeVar, cast

from flask import Response, abort, flash, g, make_response, redirect, request, url_for
from flask_appbuilder import ModelView, expose  # noqa: TID251 - this is the safe base view
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound as NoSuchPage
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.catalog import CATALOG, Column, Look, Masked, Register, whole
from engine.db import Sessions
from engine.errors import Conflict, RuleViolation
from engine.i18n import Sentence, _
from engine.work_items import may_read_instance
from webapp.registers import cells, export, history, listing, nothing_yet, saved, words
from webapp.registers.addresses import record_url, relation_to
from webapp.registers.fields import Form, related_model
from webapp.registers.interface import SafeInterface, endpoint_of, primary_key, register_of
from webapp.registers.opened import Opened
from webapp.registers.operators import operators
from webapp.registers.saving import Saving
from webapp.security import viewing
from webapp.security.access import GUARD, current_actor, demand
from webapp.skin import formats

View = TypeVar("View", bound=Callable[..., Any])

FORM_HINTS: dict[str, str] = {}
"""register -> endpoint of a fragment that says more about what is being typed into its form"""

Link = tuple[str, str, Sentence]
"""address, icon, words"""
LIST_LINKS: dict[str, Callable[[], tuple[Link, ...]]] = {}
RECORD_LINKS: dict[str, Callable[[Any], tuple[Link, ...]]] = {}
"""register -> what another room offers above its list, at the head of its record"""


def guard(kind: str) -> Callable[[View], View]:
    """Guard a register's page: "open" or "manage", each resolved to the named permission of the view's own register."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(self: RegisterView, *args: Any, **kwargs: Any) -> Any:
            demand(self.permission_to(kind))
            return view(self, *args, **kwargs)

        setattr(guarded, GUARD, kind)
        return cast(View, guarded)

    return decorate


class RegisterView(Saving, ModelView):
    """Shows one register. Everything FAB's ModelView keeps on the shared view object (filters, forms, widgets) is gone:
    what a request asks lives in that request, rows come through SafeInterface, writes go to the register's operations.
    """

    register: ClassVar[Register]
    phone: ClassVar[str] = ""
    """its list's place in the frame of the phone (webapp.skin.navigation.Entry)"""

    list_template = "appbuilder/general/model/list.html"
    show_template = "appbuilder/general/model/show.html"
    add_template = "appbuilder/general/model/add.html"
    edit_template = "appbuilder/general/model/edit.html"

    exclude_route_methods: ClassVar[set[str]] = {"download"}  # FAB's file fields are not used: it serves any upload

    record_tabs: ClassVar[tuple[tuple[str, Sentence], ...]] = ()
    """further tabs of the record page: (method name of this view that returns a fragment, title)"""

    drawer: str = "card"
    """method that answers with a record as a fragment: a click on a row opens it beside the list; "" = its page"""

    # -------------------------------------------------------------------------------- what FAB would build on the view

    def __init__(self) -> None:
        self.datamodel = SafeInterface(self.register)
        self.base_order = self.register.order_by
        self.base_permissions: Sequence[str] = []  # rights are the register's named permissions, not one per method
        of_its_own = type(self).show is not RegisterView.show and type(self).card is RegisterView.card
        if of_its_own:  # whose page is another shows there what may be shown
            self.drawer = ""
        super().__init__()

    def _init_properties(self) -> None:
        self.label_columns = {column.name: column.title for column in self.register.columns}
        self.list_columns = [column.name for column in self.register.columns]
        self.search_columns = list(self.register.search)
        self.related_views: Sequence[Any] = []
        self._related_views: Sequence[Any] = []

    def _init_forms(self) -> None:
        """Forms are made for each request from the register's fields."""

    def _init_titles(self) -> None:
        self.title = self.list_title = self.register.title

    @property
    def _filters(self) -> None:
        """Where FAB keeps the present search, shared by all threads; here it is in the address of each request."""
        return

    @_filters.setter
    def _filters(self, _value: object) -> None:
        raise TypeError("filters belong to the request: webapp.registers.listing.read")

    # -------------------------------------------------------------------------------- rights

    def permission_to(self, kind: str) -> str:
        """The named permission behind "open" or "manage"; "" = everybody signed in."""
        if kind == "manage":
            name = f"{self.register.name}.manage"
            return name if name in CATALOG.permissions else self.register.permission
        return self.register.permission

    def may(self, kind: str) -> bool:
        permission = self.permission_to(kind)
        return not permission or current_actor().may(permission)

    # -------------------------------------------------------------------------------- list

    @expose("/list/")
    @guard("open")
    def list(self) -> str | BaseResponse:
        """The list, or only its card when a tab or the list itself asks for it again. Without a question it opens with
        the view its reader has chosen for that.
        """
        fragment = bool(request.headers.get("HX-Request")) and "HX-Boosted" not in request.headers
        if not request.args and not fragment and (address := saved.default_address(self.register)):
            return redirect(self.url("list") + address)
        page = listing.fetch(Sessions(), self.datamodel, current_actor(), self._asked())
        return self._render("yl/register/card.html" if fragment else self.list_template, **self._list_context(page))

    def _asked(self) -> listing.Asked:
        return saved.asked(self.register, request.args)

    def _list_context(self, page: listing.Page) -> dict[str, Any]:
        self.look_at(page.rows)
        filterable, columns = listing.filterable(self.register), listing.shown(self.register, page.asked)
        persons = [c.name for c in columns if c.kind == "person"]
        superior = any(one.of_superiors for one in self.register.views) and self._has_reports()
        formats.people(v for row in page.rows for n in persons if isinstance(v := getattr(row, n), int))
        return {
            "title": self.register.title,
            "page": page,
            "asked": page.asked,
            "sortable": listing.sortable(self.register),
            "page_sizes": listing.PAGE_SIZES,
            "count_cap": listing.COUNT_CAP,
            "filters": self._filter_definitions(),
            "columns": columns,
            "choosable": listing.choosable(self.register),
            "views": saved.offer(self.register, page.asked, superior=superior),
            "submission": secrets.token_urlsafe(12),
            "quick": [
                (column, self._lookup_of(column)) for name, column in filterable.items() if name in self.register.quick
            ],
            "bulk": self.bulk_actions(),
            "coming": None
            if page.asked.narrowed
            else next((one.empty for one in self.register.views if one.name == page.asked.view), None),
            "ways": ()
            if page.rows or self.only_looks()
            else nothing_yet.ways(self.register, self.url("add"), self.may("manage"), self.links_of_list()),
            "chips": [(one, words.of_value(self.register, one)) for one in page.asked.filters],
        }

    @staticmethod
    def _has_reports() -> bool:
        directory = CATALOG.directory
        return directory is not None and bool(directory.reports(Sessions(), current_actor().person_id))

    def bulk_actions(self) -> Sequence[Any]:
        """Further buttons for ticked rows, each with `url()`, `icon`, `title`, `confirm`: the ids are posted there."""
        return ()

    def _filter_definitions(self) -> dict[str, Any]:
        """What the filter builder in the browser needs to know."""
        return {
            name: {
                "title": str(column.title),
                "kind": column.kind,
                "choices": {key: str(title) for key, title in column.choices.items()},
                "lookup": self._lookup_of(column),
                "operators": [
                    {"code": one.code, "title": str(one.title), "value": one.takes_value, "reads": one.reads}
                    for one in operators(column)
                ],
            }
            for name, column in listing.filterable(self.register).items()
            if column.kind not in {"person", "reference"} or self._lookup_of(column)
        }

    def _lookup_of(self, column: Column) -> str:
        model = related_model(self.register.model, column)
        register = register_of(model) if model else None
        return url_for("LookupView.lookup", name=register.name) if register else ""

    @expose("/export")
    @guard("open")
    def export(self) -> Response:
        demand(self.register.exports)
        asked = self._asked()
        return export.csv_response(self.datamodel, current_actor(), asked)

    @expose("/excel")
    @guard("open")
    def excel(self) -> Response:
        demand(self.register.exports)
        asked = self._asked()
        return export.xlsx_response(self.datamodel, current_actor(), asked)

    def only_looks(self) -> bool:
        """The asker looks through another's eyes: what makes something or takes it along is not offered."""
        return viewing.viewer() is not None

    def may_export(self) -> bool:
        return not self.register.exports or current_actor().may(self.register.exports)

    def links_of_list(self) -> tuple[tuple[str, str, Sentence], ...]:
        """Further buttons above the list: address, icon, words."""
        offered = LIST_LINKS.get(self.register.name)
        return offered() if offered else ()

    # -------------------------------------------------------------------------------- record

    @expose("/show/<pk>")
    @guard("open")
    def show(self, pk: str) -> str:
        record = self._record(pk)
        return self._render(
            self.show_template,
            title=self.name_of(record),
            record=record,
            pk=self.key_of(record),
            cells=self._record_cells(record),
            related=[tab for name in self.register.related if (tab := self._related(name, record))],
            tabs=self.record_tabs,
        )

    @expose("/card/<pk>")
    @guard("open")
    def card(self, pk: str) -> str:
        """The record beside the list."""
        if not self.drawer:
            abort(404)
        record = self._record(pk)
        return self._render(
            "yl/register/record_card.html",
            title=self.name_of(record),
            pk=self.key_of(record),
            cells=self._record_cells(record),
        )

    def _record_cells(self, record: Any) -> tuple[cells.Cell, ...]:
        """Columns first, then what only the form knows; each once."""
        named = {c.name: c for c in (*self.register.fields, *self.register.columns) if not c.asked_only}
        order = dict.fromkeys([*(c.name for c in self.register.columns), *named])
        return tuple(self.cell(record, named[name]) for name in order)

    def _related(self, name: str, record: Any) -> dict[str, Any] | None:
        """A tab that shows another register narrowed to this record, loaded when opened; None = not for this asker."""
        other = CATALOG.registers.get(name)
        if other is None or (other.permission and not current_actor().may(other.permission)):
            return None
        link = relation_to(other, self.register.model)
        if link is None:
            return None
        url = url_for(f"{endpoint_of(name)}.list") + listing.address_of({f"f.{link}.is": self.key_of(record)})
        return {"register": other, "url": url}

    def link(self, cell: cells.Cell) -> str:
        """Address of the record a value names, for those who may open it."""
        return record_url(cell.value) if register_of(type(cell.value)) else ""

    def cell(self, record: Any, column: Column) -> cells.Cell:
        return cells.cell(record, column, self.look_at([record]))

    def look_at(self, records: Sequence[Any]) -> Look:
        """How these records look to the asker; asked for all rows of a page at once, and then remembered for each."""
        if self.register.sight is None or not records:
            return whole
        known: dict[Any, Look] = g.setdefault("looks", {})
        if any(record not in known for record in records):
            look = cells.look(Sessions(), self.register, current_actor(), records)
            known.update(dict.fromkeys(records, look))
        return known[records[0]]

    @expose("/history/<pk>")
    @guard("manage")
    def history(self, pk: str) -> str:
        record = self._record(pk)
        changes = history.changes(
            Sessions(), self.register, self.key_of(record), lambda name, value: self.audited(record, name, value)
        )
        return self._render("yl/register/history.html", changes=changes)

    def audited(self, record: Any, name: str, value: Any) -> Any:
        """A value of the record's history as the asker may see it."""
        return self.look_at([record])(record, name, value)

    # -------------------------------------------------------------------------------- add, edit, archive

    def form_of(self, record: Any) -> Form:
        """The form of a record that is there, without what the asker does not see whole."""
        form, look = Form(self.register, is_new=False), self.look_at([record])
        form.fields = [
            one
            for one in form.fields
            if one.column.asked_only or not isinstance(look(record, one.name, getattr(record, one.name)), Masked)
        ]
        return form

    @expose("/add", methods=["GET", "POST"])
    @guard("manage")
    def add(self) -> str | BaseResponse:
        create = self.register.create
        if create is None:
            abort(404)
        actor, form = current_actor(), Form(self.register, is_new=True)
        if request.method == "GET":
            form.prefill(Sessions(), actor, request.args)
            return self._form_page(self.add_template, form, record=None)
        values = form.read(Sessions(), actor, request.form)
        if not form.refused:
            made = self._write(form, lambda session: self.created(session, create(session, actor, values=values)))
            if made is not None:
                flash(str(_("{name} has been added.", name=self.name_of(made))), "success")
                return self.after_create(made)
        return make_response(self._form_page(self.add_template, form, record=None), 422)

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @guard("manage")
    def edit(self, pk: str) -> str | BaseResponse:
        change = self.register.change
        if change is None:
            abort(404)
        actor = current_actor()
        if request.method == "GET":
            record = self.changeable(pk)
            form = self.form_of(record)
            self.fill(form, record)
            return self._form_page(self.edit_template, form, record=record)
        version = request.form.get("version", "")

        def save(record: Any) -> BaseResponse:
            key, form = self.key_of(record), self.form_of(record)
            changed = self._write_typed(
                form,
                lambda session, typed, seen: change(session, actor, record_id=key, version=seen, values=typed),
                key,
            )
            if changed is not None:
                flash(str(_("{name} has been saved.", name=self.name_of(changed))), "success")
                return redirect(self.url("show", pk=self.key_of(changed)))
            page = self._form_page(self.edit_template, form, record=self._record(pk), version=version)
            return make_response(page, 422)

        return self.save_or_say(
            pk, save, lambda form, known: self._form_page(self.edit_template, form, known=known, version=version)
        )

    def may_change(self, _record: Any) -> bool:
        return self.may("manage")

    def fill(self, form: Form, record: Any) -> None:
        """What the record holds, and what its reader knows by that."""
        form.show_record(record)
        form.opened = self.sealed(record, [one.name for one in form.fields])

    @expose("/delete/<pk>", methods=["POST"])
    @guard("manage")
    def delete(self, pk: str) -> BaseResponse:
        archive = self.register.archive
        if archive is None:
            abort(404)
        actor, record = current_actor(), self._record(pk)
        key, name = self.key_of(record), self.name_of(record)
        try:
            runtime.perform(lambda session: archive(session, actor, record_id=key))
        except (RuleViolation, Conflict) as refusal:
            flash(str(refusal), "danger")
            return redirect(self.url("show", pk=key))
        gone = _("{name} has been removed.", name=name) if self.register.removes else None
        flash(str(gone or _("{name} has been archived.", name=name)), "success")
        return self.after_archive(key)

    def _form_page(
        self, template: str, form: Form, *, record: Any = None, known: Opened | None = None, version: str | None = None
    ) -> str:
        """record: None for a new one, and for one of which only is left what was known of it."""
        if version is None:
            version = str(getattr(record, "version", "") or "")
        name = known.name if known is not None else "" if record is None else self.name_of(record)
        title = _("Edit {name}", name=name) if name else _("New: {register}", register=self.register.title)
        back = self.url("list") if record is None else self.url("show", pk=self.key_of(record))
        page = FORM_HINTS.get(self.register.name) if known is None else None
        hints = url_for(page, of=None if record is None else self.key_of(record)) if page else ""
        return self._render(template, title=title, form=form, record=record, version=version, back=back, hints=hints)

    # -------------------------------------------------------------------------------- actions

    @expose("/action/<string:name>/<pk>", methods=["POST"])
    @guard("manage")
    def action(self, name: str, pk: str) -> BaseResponse:
        """An action on the record page."""
        return self._act(name, [self._record(pk)])

    @expose("/action_post", methods=["POST"])
    @guard("manage")
    def action_post(self) -> BaseResponse:
        """An action on rows ticked in the list: all of them must be visible, or none is touched."""
        pks = request.form.getlist("rowid")
        records = self.datamodel.get_many(pks)
        if not pks or len(records) != len(set(pks)):
            raise NoSuchPage
        return self._act(request.form.get("action", ""), records)

    def _act(self, name: str, records: Sequence[Any]) -> BaseResponse:
        action = self.actions.get(name)
        if action is None:
            raise NoSuchPage
        try:
            answer = action.func(records)
        except (RuleViolation, Conflict) as refusal:
            flash(str(refusal), "danger")
            answer = None
        back = self.url("show", pk=self.key_of(records[0])) if len(records) == 1 else self.url("list")
        return cast(BaseResponse, answer) if answer is not None else redirect(back)

    # -------------------------------------------------------------------------------- what registers do their own way

    def name_of(self, record: Any) -> str:
        """What the record is called on its page and in messages."""
        return str(record)

    def links_of(self, record: Any) -> tuple[tuple[str, str, Sentence], ...]:
        """Further pages offered at the head of the record's page: (address, icon, words); of a record that came of a
        process, the process, if this person may read it.
        """
        instance_id = getattr(record, "instance_id", None)
        offered = RECORD_LINKS.get(self.register.name)
        further = offered(record) if offered else ()
        if instance_id is None or not may_read_instance(Sessions(), current_actor(), instance_id):
            return further
        return (*further, (url_for("instances.show", instance_id=instance_id), "sitemap", _("Show the process")))

    def created(self, session: Session, record: Any) -> Any:
        """Something more in the transaction that made the record."""
        return record

    def after_create(self, record: Any) -> BaseResponse:
        """Where to go with a new record."""
        return redirect(self.url("show", pk=self.key_of(record)))

    def after_archive(self, key: int) -> BaseResponse:
        """Where to go from a record that is archived or gone."""
        return redirect(self.url("list"))

    # -------------------------------------------------------------------------------- helpers

    def url(self, page: str, **values: Any) -> str:
        return url_for(f"{self.endpoint}.{page}", **values)

    def _record(self, pk: Any) -> Any:
        record = self.datamodel.get(pk)
        if record is None:
            raise self.gone(pk)
        return record

    def key_of(self, record: Any) -> int:
        return cast(int, getattr(record, primary_key(self.register.model).key))

    def _render(self, template: str, **context: Any) -> str:
        context |= {"view": self, "register": self.register, "may_manage": self.may("manage")}
        return cast(str, self.render_template(template, **context))
