"""What a new process, form or decision table starts from; each can be deployed as it is."""

from __future__ import annotations

import json

from flask import render_template

from engine.i18n import _


def process(key: str, name: str) -> dict[str, str]:
    """A request, the superior's decision, the end; and the form it asks for."""
    diagram = render_template(
        "modeler/beginnings/process.xml",
        key=key,
        name=name,
        start=_("Send the request"),
        approve=_("Approve as superior"),
        end=_("Done"),
    )
    return {f"{key}.bpmn": diagram, f"{key}.form.json": form(name)}


def form(title: str) -> str:
    subject = {"id": "title", "type": "text", "label": str(_("Subject")), "required": True, "max_length": 100}
    reason = {"id": "reason", "type": "textarea", "label": str(_("Reason")), "max_length": 2000, "wide": True}
    fields = [{**subject, "wide": True, "title": True}, reason]
    return json.dumps({"title": title, "fields": fields, "steps": {}}, ensure_ascii=False, indent=2) + "\n"


def table(id: str) -> str:
    """Two rules over an amount: one to change, one for all the rest."""
    return render_template("modeler/beginnings/table.xml", id=id, amount=_("Amount"))
