"""The report of a migration: its map, what the simulation found, portions, results, and back; for designers."""

from __future__ import annotations

import re

import pytest

from engine import jobs
from engine.workflow import dialect
from tests.demo_house import DemoHouse
from tests.webapp.modeler.conftest import EMPLOYEE, Designer
from tests.webapp.modeler.test_versions import KEY, second_version


def begin(designer: Designer, **chosen: str) -> str:
    answer = designer.browser.post(f"/designer/{KEY}/migrations", {"from": "1", "to": "2", **chosen})
    assert answer.status_code == 302, answer.text
    return answer.location


def look(designer: Designer, report: str) -> str:
    page: str = designer.browser.get(f"{report}?_l_=en").text
    return page


def counts(page: str) -> dict[str, int]:
    return {words: int(n) for n, words in re.findall(r"<b>(\d+)</b><span>([^<]+)</span>", page)}


def test_from_the_versions_page_through_the_simulation_to_the_last_one_and_back(designer: Designer) -> None:
    second_version(designer)
    page = designer.browser.get(f"/designer/{KEY}/versions?_l_=en").text
    assert "Running on older versions: 5" in page
    assert "Migrate to version 2" in page
    report = begin(designer)
    page = designer.browser.get(f"{report}?_l_=en").text
    assert 'hx-trigger="every 2s"' in page
    jobs.migrate_instances()
    page = look(designer, report)
    assert 'hx-trigger="every 2s"' not in page
    found = counts(page)
    assert found["running on version 1"] == found["fit"] + found["need attention"] + found["do not fit"] == 5
    assert designer.browser.post(f"{report}/go", {"portion": "one"}).status_code == 302
    jobs.migrate_instances()
    assert counts(look(designer, report))["migrated"] == 1
    assert designer.browser.post(f"{report}/go", {"portion": "all"}).status_code == 302
    jobs.migrate_instances()
    assert counts(look(designer, report))["migrated"] == 5
    again = designer.browser.post(f"{report}/go", {"portion": "all"})
    assert again.status_code == 409
    assert "这一批已没有可迁移的实例。" in again.text
    assert designer.browser.post(f"{report}/back", {}).status_code == 302
    jobs.migrate_instances()
    found = counts(look(designer, report))
    assert (found["migrated"], found["taken back"]) == (0, 5)


def test_a_page_that_follows_reads_no_drawing(designer: Designer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks every two seconds, in every window that is open on a run."""
    second_version(designer)
    report = begin(designer)
    designer.browser.get(report)
    read: list[str] = []
    real = dialect.read
    monkeypatch.setattr(dialect, "read", lambda files, *more: read.append("") or real(files, *more))
    for _each in range(2):
        followed = designer.browser.get(report, partial=True)
        assert followed.status_code == 200
        assert 'hx-trigger="every 2s"' in followed.text
    assert not read
    designer.browser.get(report)
    assert len(read) == 1, "what the page itself says of the process"


def test_a_person_chooses_in_the_map_and_simulates_again(designer: Designer) -> None:
    second_version(designer)
    first = begin(designer)
    jobs.migrate_instances()
    second = begin(designer, **{"map.approve_superior": "-"})
    jobs.migrate_instances()
    page = designer.browser.get(f"{second}?_l_=en").text
    assert counts(page)["do not fit"] > 0
    assert "chosen by hand" in page
    assert "replaced by a newer run" in look(designer, first)
    nonsense = designer.browser.post(
        f"/designer/{KEY}/migrations", {"from": "1", "to": "2", "map.approve_superior": "no_such_element"}
    )
    assert nonsense.status_code == 422


def test_titles_are_for_those_who_may_read_them(designer: Designer, second: Designer) -> None:
    second_version(designer)
    report = begin(designer)
    jobs.migrate_instances()
    number = r'<td class="yl-first">#\d+</td>'
    assert not re.search(number, designer.browser.get(report).text), "he may follow every process"
    assert re.search(number, second.browser.get(report).text)


def test_nobody_but_designers(designer: Designer, house: DemoHouse) -> None:
    second_version(designer)
    report = begin(designer)
    other = house.login(EMPLOYEE)
    assert other.get(report).status_code == 403
    for path, fields in (
        (f"/designer/{KEY}/migrations", {"from": "1", "to": "2"}),
        (f"{report}/go", {"portion": "one"}),
    ):
        assert other.post(path, fields).status_code == 403
    assert designer.browser.post(f"{report}/go", {"portion": "every"}).status_code in {404, 422}
