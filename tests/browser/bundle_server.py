"""Serves the pages of webapp/frontend/dev, for the tests and by hand: `python -m tests.browser.bundle_server [port]`.

It keeps one draft in memory and answers what the real pages answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

WEBAPP = Path(__file__).parents[2] / "webapp"
STATIC = WEBAPP / "static"
PAGES = WEBAPP / "frontend" / "dev"
SAMPLE = PAGES / "sample.bpmn"
PEOPLE = [{"id": 3, "name": "李娜", "detail": "销售部"}, {"id": 7, "name": "王强", "detail": "财务部"}]
POSITIONS = [{"id": "finance", "name": "财务主管"}, {"id": "general_manager", "name": "总经理"}]
ROLES = [{"id": "approver", "name": "审批员"}]
PICKERS: dict[str, Sequence[Mapping[str, object]]] = {"/people": PEOPLE, "/positions": POSITIONS, "/roles": ROLES}


class Draft:
    """The one diagram the harness keeps, with the revision a save must name."""

    def __init__(self) -> None:
        self.xml = SAMPLE.read_text("utf-8")
        self.revision = 1
        self.deployed = 0


class Handler(SimpleHTTPRequestHandler):
    draft: Draft

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/diagram":
            self._send(self.draft.xml.encode(), "application/xml")
        elif path in PICKERS:
            wanted = parse_qs(query).get("ids")
            self._send_json({"items": [item for item in PICKERS[path] if not wanted or str(item["id"]) in wanted]})
        elif path.startswith("/static/"):
            self._send_file(STATIC / path.removeprefix("/static/"))
        else:
            self._send_file(PAGES / (path.lstrip("/") or "designer.html"))

    def do_PUT(self) -> None:
        body = self._body()
        if self.headers.get("If-Match") != f'"{self.draft.revision}"':
            self._send_json({"detail": "王强 10:42 保存了第 2 版草稿。"}, HTTPStatus.PRECONDITION_FAILED)
            return
        self.draft.xml, self.draft.revision = body["xml"], self.draft.revision + 1
        self._send_json({"revision": self.draft.revision})

    def do_POST(self) -> None:
        xml = self._body()["xml"]
        problems = lint(xml)
        if self.path == "/lint":
            self._send_json({"problems": problems})
        elif any(problem["severity"] == "error" for problem in problems):
            self._send_json({"problems": problems}, HTTPStatus.UNPROCESSABLE_ENTITY)
        else:
            self.draft.deployed += 1
            self._send_json({"version": self.draft.deployed, "revision": self.draft.revision})

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def _send_json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(value, ensure_ascii=False).encode(), "application/json", status)

    def _send_file(self, file: Path) -> None:
        if file.is_file():
            self._send(file.read_bytes(), self.guess_type(str(file)))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{self.draft.revision}"')
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing: a test's output is its own."""


def lint(xml: str) -> list[dict[str, str]]:
    """One rule is enough to see how a server's problem is shown."""
    if 'camunda:topic="approval.remind"' not in xml:
        return []
    return [
        {
            "where": "remind",
            "rule": "topic-known",
            "message": "没有名为 approval.remind 的服务。",
            "remedy": "在“服务”里另选一个，或先安装提供它的模块。",
            "severity": "error",
        }
    ]


def serve(draft: Draft, port: int = 0) -> ThreadingHTTPServer:
    """A server for this draft, bound to 127.0.0.1; the caller runs `serve_forever()`."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("DraftHandler", (Handler,), {"draft": draft}))


if __name__ == "__main__":
    server = serve(Draft(), int(sys.argv[1]) if len(sys.argv) > 1 else 8765)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}/  and /viewer.html\n")
    sys.stdout.flush()
    server.serve_forever()
