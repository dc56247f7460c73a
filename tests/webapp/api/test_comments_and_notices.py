"""Comments and notices through the interface."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.webapp.callers import ADMIN, EMPLOYEE, FINANCE, MANAGER, OTHER, SUPERIOR, House, good, refused

pytestmark = pytest.mark.usefixtures("clock")


def test_a_talk_about_a_request(people: House, started: dict[str, Any]) -> None:
    employee, superior, other = people(EMPLOYEE), people(SUPERIOR), people(OTHER)
    path = f"/process-instances/{started['id']}/comments"
    first = employee.post(path, {"text": f"@[{superior.person_id}] 请看第二行"}, key="once")
    again = employee.call("POST", path, {"text": f"@[{superior.person_id}] 请看第二行"}, key="once")
    assert good(again) == first
    assert first["plain"] == "@周明 请看第二行"
    assert [person["name"] for person in first["mentions"]] == ["周明"]
    answer = superior.post(path, {"text": "看过了", "reply_to": first["id"]})
    assert [one["text"] for one in employee.get(f"{path}?page_size=1")["items"]] == ["看过了"]
    older = employee.get(f"{path}?before={answer['id']}")
    assert ([one["id"] for one in older["items"]], older["has_more"]) == ([first["id"]], False)
    for call in (
        ("GET", path),
        ("POST", path, {"text": "x"}),
        ("GET", f"/comments/{first['id']}"),
        ("PATCH", f"/comments/{first['id']}", {"text": "x", "revision": 1}),
        ("POST", f"/comments/{first['id']}/actions/void", {"reason": "x"}),
        ("GET", f"/comments?record_type=process.instance&record_id={started['id']}"),
    ):
        refused(other.call(*call), 404)


def test_a_mention_offers_a_copy_and_the_rights_of_roles_count(people: House, started: dict[str, Any]) -> None:
    """The general manager reads every process, so he needs no copy; a colleague does."""
    employee, other, manager = people(EMPLOYEE), people(OTHER), people(MANAGER)
    body = {"record_type": "process.instance", "record_id": started["id"]}
    employee.post("/comments", {**body, "text": f"@[{manager.person_id}] 请知悉"})
    text = f"@[{other.person_id}] @[{manager.person_id}] 请知悉"
    problem = refused(employee.call("POST", "/comments", {**body, "text": text}), 422, "mentioned_cannot_read")
    assert "李娜" in problem["detail"]
    assert [error["message"] for error in problem["errors"]] == ["李娜 may not read this."]
    employee.post("/comments", {**body, "text": text, "send_copy": True})
    assert len(other.get(f"/process-instances/{started['id']}/comments")["items"]) == 2
    (notice,) = other.get("/notices")["items"]
    assert notice["title"].startswith("王磊 mentions you: ")
    assert notice["record_id"] == started["id"]


def test_a_comment_is_mended_and_voided(people: House, started: dict[str, Any]) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    made = employee.post(f"/process-instances/{started['id']}/comments", {"text": "一"})
    path = f"/comments/{made['id']}"
    assert good(employee.call("PATCH", path, {"text": "二", "revision": 1}))["revision"] == 2
    refused(employee.call("PATCH", path, {"text": "三", "revision": 1}), 409, "conflict")
    refused(superior.call("PATCH", path, {"text": "三", "revision": 2}), 403)
    refused(superior.call("POST", f"{path}/actions/void", {"reason": "不妥"}), 403)
    voided = people(ADMIN).post(f"{path}/actions/void", {"reason": "不妥"})
    assert (voided["text"], voided["void_reason"]) == ("", "不妥")
    assert superior.get(path)["text"] == ""
    refused(employee.call("PATCH", path, {"text": "三", "revision": 2}), 403)


def test_files_of_a_comment_open_for_its_readers(people: House, started: dict[str, Any]) -> None:
    employee = people(EMPLOYEE)
    sent = good(
        employee.call("POST", "/attachments", content_type="multipart/form-data", data={"file": _file("报价.txt")})
    )
    comment = employee.post(
        f"/process-instances/{started['id']}/comments", {"text": "附报价", "attachments": [sent["id"]]}
    )
    assert [file["name"] for file in comment["files"]] == ["报价.txt"]
    assert people(SUPERIOR).call("GET", f"/attachments/{sent['id']}").status_code == 200
    refused(people(OTHER).call("GET", f"/attachments/{sent['id']}"), 404)


def _file(name: str) -> Any:

    return io.BytesIO("三千".encode()), name


def test_notices_are_listed_counted_and_read(people: House, started: dict[str, Any]) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    for text in ("第一", "第二", "第三"):
        superior.post(f"/process-instances/{started['id']}/comments", {"text": text})
    assert employee.get("/notices/counts") == {"unread": 3}
    newest, middle, _oldest = employee.get("/notices")["items"]
    assert employee.get("/notices", headers={"Accept-Language": "zh"})["items"][0]["title"].startswith("周明")
    refused(superior.call("POST", f"/notices/{newest['id']}/actions/read", {}), 404)
    assert employee.post(f"/notices/{newest['id']}/actions/read")["read_at"]
    assert [one["id"] for one in employee.get("/notices?unread=true&page_size=1")["items"]] == [middle["id"]]
    assert employee.post("/notices/actions/read-all", {"until": middle["id"]}) == {"marked": 2}
    assert employee.get("/notices?unread=true&count=true")["total"] == 0
    assert superior.get("/notices?q=第")["items"] == []


def test_preferences_are_kept_and_what_must_be_cannot_go(people: House, started: dict[str, Any]) -> None:
    employee = people(EMPLOYEE)
    choice = {"items": [{"kind": "comments.followed", "channels": []}]}
    kept = good(employee.call("PUT", "/notices/preferences", choice))
    assert kept == employee.get("/notices/preferences")
    assert {one["kind"]: one["channels"] for one in kept["items"]}["comments.followed"] == []
    people(SUPERIOR).post(f"/process-instances/{started['id']}/comments", {"text": "无人知晓"})
    assert employee.get("/notices")["items"] == []
    refused(employee.call("PUT", "/notices/preferences", {"items": [{"kind": "nothing", "channels": []}]}), 422)
    assert people(FINANCE).get("/notices/preferences") != kept
