"""The register of filed packages: read-only; from each the way to its zip and to its process."""

from __future__ import annotations

from flask import redirect, url_for
from flask_appbuilder import AppBuilder
from flask_appbuilder.actions import action
from werkzeug.wrappers import Response as BaseResponse

from engine.i18n import _
from processes.document.manifest import ARCHIVE
from processes.document.models import ArchivePackage
from webapp.registers.build import add_register, view_of
from webapp.registers.views import RegisterView


class ArchiveView(RegisterView):
    register = ARCHIVE

    @action("download", _("Download the package"), "", "download", multiple=False)
    def download(self, records: list[ArchivePackage]) -> BaseResponse:
        return redirect(url_for("printing.package", package_id=records[0].id))

    @action("open", _("Open the process"), "", "external-link", multiple=False)
    def open(self, records: list[ArchivePackage]) -> BaseResponse:
        return redirect(url_for("instances.show", instance_id=records[0].record_id))


def add_views(appbuilder: AppBuilder) -> None:
    add_register(appbuilder, view_of(ARCHIVE, ArchiveView))
