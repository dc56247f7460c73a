"""What a register's screens do, on both databases."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from openpyxl import load_workbook

from engine import clock
from engine.db import Sessions, transaction
from tests.webapp.ground.conftest import Browser, CountQueries, Login
from tests.webapp.ground.house import Customer, Deal, Note
from webapp.registers import export

LIST = "/made_up/deal/list/"


@pytest.fixture
def seller(login: Login) -> Browser:
    return login("seller", ("Employee", "Admin"))


def stored(deal_id: int) -> Deal:
    Sessions.remove()
    found = Sessions().get(Deal, deal_id)
    assert found is not None
    return found


# ------------------------------------------------------------------------------------------------ lists


def test_a_list_shows_what_is_in_scope_and_nothing_else(seller: Browser) -> None:
    page = seller.get(LIST).text
    assert "采购合同" in page
    assert "华宇科技" in page
    assert "¥1,200.50" in page
    assert "秘密项目" not in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=采购", {"采购合同"}),
        ("q=100%25_", {"100%_续约"}),  # signs that mean something to LIKE mean themselves
        ("f.name.has=续", {"100%_续约"}),
        ("f.name.starts=采", {"采购合同"}),
        ("f.amount.from=1200.5", {"采购合同"}),
        ("f.amount.to=1,000", {"100%_续约"}),
        ("f.won.is=true", {"100%_续约"}),
        ("f.customer.is=2", {"100%_续约"}),
        ("f.customer.not=2", {"采购合同"}),
        ("f.customer.is=1&f.customer.is=2", {"采购合同", "100%_续约"}),
        ("f.state.is=archived", set()),
        ("f.closes_on.empty=1", {"采购合同", "100%_续约"}),
        ("f.seen_at.from=2026-01-01", set()),
    ],
)
def test_filters_narrow_the_list(seller: Browser, asked: str, found: set[str]) -> None:
    page = seller.get(f"{LIST}?{asked}").text
    assert {name for name in ("采购合同", "100%_续约", "秘密项目") if f">{name}</a>" in page} == found


@pytest.mark.parametrize(
    "nonsense",
    [
        "f.amount.from=much",
        "f.amount.from=99999999999999999999999",
        "f.amount.from=NaN",
        "f.closes_on.is=2026-13-45",
        "f.customer.is=99999999999999999999",
        "f.state.is=burning",
        "f.password.is=x",
        "f.name.drop=x",
        "f.name",
        "page=-3&size=0",
        "page=999999999999999999999",
        "order=password",
        "order=-",
        "size=100000",
    ],
)
def test_what_makes_no_sense_is_left_out(seller: Browser, nonsense: str) -> None:
    answer = seller.get(f"{LIST}?{nonsense}")
    assert answer.status_code == 200
    assert "采购合同" in answer.text


def test_order_and_pages_are_total(seller: Browser, app: Flask) -> None:
    with transaction() as session:
        session.add_all(Deal(name=f"同名{n % 2}") for n in range(45))
    seen: list[str] = []
    for page in (1, 2, 3):
        rows = seller.get(f"{LIST}?order=-name&page={page}").text.split("<tr data-yl-href=")[1:]
        seen += [row.split('"')[1] for row in rows]
    assert len(seen) == len(set(seen)) == 47


def test_counting_stops_at_the_cap(seller: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.registers.listing.COUNT_CAP", 1)
    page = seller.get(f"{LIST}?_l_=en").text
    assert "more than 1" in page
    assert "2 in all" not in page


def test_the_number_of_queries_does_not_grow_with_the_rows(
    seller: Browser, app: Flask, count_queries: CountQueries
) -> None:
    with transaction() as session:
        session.add_all(Customer(id=n, name=f"客户{n}") for n in range(10, 110))
        session.flush()
        session.add_all(Deal(name=f"单{n}", customer_id=n) for n in range(10, 110))
    with count_queries() as few:
        seller.get(f"{LIST}?size=20")
    with count_queries() as many:
        seller.get(f"{LIST}?size=100")
    assert len(many) == len(few) <= 14


def test_a_fragment_is_the_list_without_the_frame(seller: Browser) -> None:
    fragment = seller.get(LIST, headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith('<div class="yl-list"')
    assert "<html" not in fragment


def test_an_empty_register_says_so(seller: Browser) -> None:
    page = seller.get(f"{LIST}?f.state.is=archived&_l_=en").text
    assert "Nothing matches these filters." in page


# ------------------------------------------------------------------------------------------------ export


def test_the_export_is_the_list_as_a_spreadsheet(seller: Browser) -> None:
    answer = seller.get("/made_up/deal/export?order=-amount")
    text = answer.data.decode("utf-8")
    assert answer.mimetype == "text/csv"
    assert text.startswith("\ufeff")
    lines = text.strip().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("采购合同,华宇科技,1200.50,")
    assert "秘密" not in text


def test_the_export_does_not_carry_formulas(seller: Browser, app: Flask) -> None:
    with transaction() as session:
        session.add(Deal(name="=HYPERLINK(1)", amount=-5))
    text = seller.get("/made_up/deal/export").data.decode()
    assert "'=HYPERLINK(1)" in text
    assert ",-5.00," in text


def test_the_excel_file_keeps_kinds_and_rights(seller: Browser, app: Flask) -> None:
    with transaction() as session:
        session.add(Deal(name="=HYPERLINK(1)", amount=-5))
    answer = seller.get("/made_up/deal/excel?order=-amount")
    assert ".xlsx" in answer.headers["Content-Disposition"]
    sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[0].value for row in rows][:1] == ["采购合同"]
    assert (rows[0][2].value, rows[0][2].number_format) == (1200.5, "#,##0.00")
    assert "秘密" not in {row[0].value for row in rows}
    formula = next(row[0] for row in rows if row[0].value == "=HYPERLINK(1)")
    assert (formula.data_type, formula.quotePrefix) == ("s", True)


def test_an_excel_file_that_would_be_too_long_is_refused(seller: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_IN_EXCEL", 1)
    assert seller.get("/made_up/deal/excel").status_code == 422
    assert seller.get("/made_up/deal/export").status_code == 200


# ------------------------------------------------------------------------------------------------ records


def test_a_record_page_has_its_fields_and_its_tabs(seller: Browser) -> None:
    page = seller.get("/made_up/deal/show/1").text
    assert "采购合同" in page
    assert 'href="/made_up/customer/show/1"' in page
    assert 'hx-get="/made_up/note/list/?f.deal.is=1"' in page
    assert "第一次拜访" not in page  # a tab is loaded when it is opened
    assert "第一次拜访" in seller.get("/made_up/note/list/?f.deal.is=1", headers={"HX-Request": "true"}).text


@pytest.mark.parametrize("pk", ["2", "99", "0", "x", "1%20or%201", "99999999999999999999999"])
def test_what_one_may_not_see_does_not_exist(seller: Browser, pk: str) -> None:
    assert seller.get(f"/made_up/deal/show/{pk}").status_code == 404


# ------------------------------------------------------------------------------------------------ writing


def test_a_new_record_is_made_by_the_operation(seller: Browser) -> None:
    answer = seller.post(
        "/made_up/deal/add",
        {
            "name": "新商机",
            "customer": "2",
            "amount": "12,345.60",
            "closes_on": "2026-12-31",
            "seen_at": "2026-11-23T09:30",
            "won": "true",
            "remark": "说明",
        },
    )
    assert answer.status_code == 302
    made = stored(int(answer.headers["Location"].rsplit("/", 1)[1]))
    assert (made.name, made.customer_id, str(made.amount), made.won) == ("新商机", 2, "12345.60", True)
    assert str(made.closes_on) == "2026-12-31"
    assert made.seen_at is not None
    assert made.seen_at.isoformat() == "2026-11-23T01:30:00+00:00"  # typed on the company's clock


def test_a_refusal_keeps_the_input_and_stands_beside_the_field(seller: Browser) -> None:
    answer = seller.post("/made_up/deal/add?_l_=en", {"name": "", "customer": "2", "remark": "much was typed"})
    assert answer.status_code == 422
    assert 'id="errors-name"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "much was typed" in answer.text
    assert '<option value="2" selected>吴氏医药</option>' in answer.text


def test_a_broken_rule_is_told_with_its_remedy(seller: Browser) -> None:
    answer = seller.post("/made_up/deal/add?_l_=en", {"name": "forbidden"})
    assert answer.status_code == 422
    assert "This rule always says no. Choose another name." in answer.text


def test_an_unreadable_value_never_reaches_the_operation(seller: Browser) -> None:
    answer = seller.post("/made_up/deal/add?_l_=en", {"name": "x", "closes_on": "tomorrow"})
    assert answer.status_code == 422
    assert "This cannot be read." in answer.text


def test_a_change_is_saved_and_noted(seller: Browser) -> None:
    version = stored(1).version
    answer = seller.post("/made_up/deal/edit/1", {"name": "改名", "version": str(version), "customer": "1"})
    assert answer.status_code == 302
    assert stored(1).name == "改名"
    history = seller.get("/made_up/deal/history/1?_l_=en").text
    assert "<del>采购合同</del><ins>改名</ins>" in history


def test_a_stale_change_says_who_was_faster_and_keeps_the_input(seller: Browser, login: Login) -> None:
    version = str(stored(1).version)
    other = login("other", ("Admin",))
    other.post("/made_up/deal/edit/1", {"name": "更快", "version": version, "customer": "1"})
    answer = seller.post("/made_up/deal/edit/1?_l_=en", {"name": "mine", "version": version, "customer": "1"})
    assert answer.status_code == 422
    assert "李other changed this at" in answer.text
    assert 'value="mine"' in answer.text
    assert stored(1).name == "更快"


def test_archiving_goes_through_the_rules(seller: Browser) -> None:
    assert seller.post("/made_up/deal/delete/1").headers["Location"] == LIST
    assert stored(1).state == "archived"
    assert seller.post("/made_up/deal/delete/3").headers["Location"] == "/made_up/deal/show/3"
    assert "A won deal stays." in seller.get("/made_up/deal/show/3?_l_=en").text
    assert stored(3).state == "open"


@pytest.mark.parametrize("url", ["/made_up/deal/delete/1", "/made_up/deal/action/win/1", "/made_up/deal/action_post"])
def test_nothing_is_changed_by_a_link(seller: Browser, url: str) -> None:
    assert seller.get(url).status_code == 405


def test_a_post_without_its_token_is_refused(seller: Browser) -> None:
    assert seller.client.post("/made_up/deal/add", data={"name": "x"}).status_code == 400


def test_fabs_file_download_does_not_exist(seller: Browser) -> None:
    assert seller.get("/made_up/deal/download/passwd").status_code == 404


def test_an_add_link_may_bring_values(seller: Browser) -> None:
    page = seller.get("/made_up/note/add?deal=1&text=Hallo").text
    assert '<option value="1" selected>采购合同</option>' in page
    assert 'value="Hallo"' in page
    assert "秘密项目" not in seller.get("/made_up/note/add?deal=2").text


def test_a_relative_time_carries_the_exact_one(seller: Browser, app: Flask) -> None:
    with transaction() as session:
        session.get_one(Deal, 1).seen_at = clock.now()
    page = seller.get("/made_up/deal/show/1").text
    assert "<time datetime=" in page


def test_notes_keep_to_deals_one_may_see(seller: Browser) -> None:
    answer = seller.post("/made_up/note/add", {"text": "x", "deal": "2"})
    assert answer.status_code == 422
    Sessions.remove()
    assert Sessions().query(Note).filter_by(deal_id=2, text="x").count() == 0
