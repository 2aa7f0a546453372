"""The dashboard: widgets, search, filters, order, pages; all of it in the address."""

import re
from collections.abc import Callable
from functools import partial
from math import inf
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from portal_app.models import AccountStatus
from tests.e2e.people import ADMIN, BILLING, LIMITED, Company, People, ready

ALL = "60 of 60 Total Accounts"


def count(page: Page) -> Locator:
    return page.get_by_role("heading", name="Total Accounts")


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Accounts", exact=True).locator("tbody tr")


def names(page: Page) -> list[str]:
    return rows(page).locator(".col-name").all_inner_texts()


def figure(page: Page, widget: str, label: str) -> Locator:
    return page.get_by_role("region", name=widget).get_by_role("link", name=label)


def chosen(page: Page, filter_name: str) -> Locator:
    return page.get_by_role("combobox", name=filter_name, exact=True)


class Line:
    """A page's socket; what the server says on it can be kept back."""

    def __init__(self) -> None:
        self.left: float = inf
        self.kept: list[Callable[[], None]] = []

    def between(self, page: WebSocketRoute) -> None:
        """Stand between a page and its server."""
        page.connect_to_server().on_message(lambda message: self._hear(partial(page.send, message)))

    def let(self, messages: float) -> None:
        """Let so many more messages through, of those kept back first."""
        self.left = messages
        kept, self.kept = self.kept, []
        for send in kept:
            self._hear(send)

    def _hear(self, send: Callable[[], None]) -> None:
        self.left -= 1
        self.kept.append(send) if self.left < 0 else send()


def number_in(text: str) -> int:
    found = re.search(r"[\d,]+", text)
    assert found
    return int(found.group().replace(",", ""))


@pytest.mark.parametrize(
    ("widget", "label", "column", "word"),
    [
        ("Trial Status", "Expiring", "Account Status", "Trial Expiring"),
        ("Backup Status", "Partially Failed", "Backup Status", "Partially Failed"),
        ("Billing Status", "Overdue", "Billing Status", "Overdue"),
    ],
)
def test_a_figure_filters_and_a_second_click_undoes_it(
    people: People, widget: str, label: str, column: str, word: str
) -> None:
    page = ready(people.open(ADMIN))
    shown = figure(page, widget, label)
    wanted = number_in(shown.inner_text())
    assert wanted > 0
    shown.click()
    expect(count(page)).to_have_text(f"{wanted} of 60 Total Accounts")
    expect(rows(page)).to_have_count(wanted)
    expect(rows(page).get_by_role("cell", name=word, exact=True)).to_have_count(wanted)
    expect(chosen(page, column)).to_have_value(re.compile("."))
    expect(shown).to_have_attribute("aria-current", "true")
    shown.click()
    expect(count(page)).to_have_text(ALL)
    expect(page).to_have_url(re.compile(r"/\??$"))


def test_search_finds_part_of_a_name_or_email_in_any_case(people: People) -> None:
    page = ready(people.open(ADMIN))
    search = page.get_by_role("searchbox", name="Search", exact=True)
    search.fill("bÄCKEREI")
    expect(count(page)).to_have_text("1 of 60 Total Accounts")
    expect(rows(page).locator(".col-name")).to_have_text(["Bäckerei Müßiggang & Söhne"])
    search.fill("NORTHPOINT-surveys")
    expect(rows(page).locator(".col-name")).to_have_text(["Alex Kim"])
    page.get_by_role("button", name="Remove filter Search: NORTHPOINT-surveys").click()
    expect(count(page)).to_have_text(ALL)
    expect(search).to_have_value("")


def test_three_filters_combine_and_are_removed_one_by_one(people: People) -> None:
    page = ready(people.open(ADMIN))
    chosen(page, "Account Status").select_option(label="Annual Subscribed")
    expect(page).to_have_url(re.compile("status=annual"))
    chosen(page, "Backup Status").select_option(label="Successful")
    expect(page).to_have_url(re.compile("backup=successful"))
    chosen(page, "Billing Status").select_option(label="Due")
    expect(page).to_have_url(re.compile("status=annual&backup=successful&billing=due"))
    for word in ("Annual Subscribed", "Successful", "Due"):
        expect(rows(page).filter(has_not=page.get_by_role("cell", name=word, exact=True))).to_have_count(0)
    few = number_in(count(page).inner_text())
    assert few > 0
    expect(rows(page)).to_have_count(few)
    page.get_by_role("button", name="Remove filter Backup Status: Successful").click()
    expect(page).not_to_have_url(re.compile("backup="))
    expect(count(page)).not_to_have_text(f"{few} of 60 Total Accounts")
    page.get_by_role("link", name="Clear all").click()
    expect(count(page)).to_have_text(ALL)


@pytest.mark.parametrize(
    "column", ["Account Name", "Email", "Account Status", "Backup Status", "Billing Status", "Amount", "Size"]
)
def test_every_column_sorts_both_ways(people: People, column: str) -> None:
    page = ready(people.open(ADMIN, "/?size=100&sort=" + ("email" if column == "Account Name" else "name")))
    head = page.get_by_role("columnheader", name=column, exact=True)
    sorter = head.get_by_role("link")
    sorter.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    upwards = names(page)
    sorter.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(rows(page)).to_have_count(60)
    assert len(upwards) == 60
    look = {"Amount": _amount, "Size": _size}.get(column)
    if look:
        values = [look(text) for text in _column(page, column)]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1]
    else:
        assert names(page) != upwards


def _column(page: Page, label: str) -> list[str]:
    return rows(page).locator(f'td[data-label="{label}"]').all_inner_texts()


def _amount(text: str) -> float:
    digits = re.sub(r"[^\d.]", "", text)
    return float(digits) if digits else 0.0


def _size(text: str) -> float:
    number, _, unit = text.partition("\u00a0" if "\u00a0" in text else " ")
    return float(number) * 1000 ** ["Bytes", "KB", "MB", "GB", "TB"].index(unit)


def test_pages_and_page_size(people: People) -> None:
    page = ready(people.open(ADMIN))
    expect(rows(page)).to_have_count(25)
    first = names(page)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    assert not set(names(page)) & set(first) - {"Alex Kim"}
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 3 of 3")).to_be_visible()
    expect(rows(page)).to_have_count(10)
    expect(page.get_by_role("link", name="Next")).to_be_disabled()
    page.get_by_label("Rows per page").select_option("100")
    expect(page.get_by_text("Page 1 of 1")).to_be_visible()
    expect(rows(page)).to_have_count(60)


def test_reload_back_and_a_second_tab_keep_the_question(people: People) -> None:
    page = ready(people.open(ADMIN))
    figure(page, "Backup Status", "Failed").last.click()
    expect(chosen(page, "Backup Status")).to_have_value("failed")
    page.get_by_role("columnheader", name="Size", exact=True).get_by_role("link").click()
    expect(page).to_have_url(re.compile("backup=failed&sort=size"))
    asked, answer = page.url, count(page).inner_text()
    page.reload()
    expect(count(page)).to_have_text(answer)
    expect(chosen(page, "Backup Status")).to_have_value("failed")
    second = page.context.new_page()
    second.goto(asked)
    expect(count(second)).to_have_text(answer)
    expect(second.get_by_role("columnheader", name="Size", exact=True)).to_have_attribute("aria-sort", "ascending")
    rows(page).first.get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Backup tasks")).to_be_visible()
    page.go_back()
    expect(count(page)).to_have_text(answer)
    assert page.url == asked


def test_ticks_choose_rows_the_page_and_all_that_match(people: People) -> None:
    page = ready(people.open(ADMIN))
    bar = page.get_by_role("status").filter(has_text="selected")
    page.get_by_role("checkbox", name="Select Abigail Thornton").check()
    expect(bar).to_have_text("1 selected")
    page.get_by_role("checkbox", name="Select all rows on this page").check()
    expect(bar).to_have_text("25 selected")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    expect(bar).to_have_text("25 selected")
    page.get_by_role("button", name="Select all 60 that match").click()
    expect(bar).to_have_text("All 60 that match are selected")
    expect(rows(page).get_by_role("checkbox", checked=True)).to_have_count(25)
    page.get_by_role("button", name="Clear selection").click()
    expect(rows(page).get_by_role("checkbox", checked=True)).to_have_count(0)


def test_rows_stay_where_they_are_when_filters_and_ticks_come_and_go(people: People) -> None:
    page = ready(people.open(ADMIN))
    table = page.get_by_role("table", name="Accounts", exact=True)
    first, clear = table.bounding_box(), page.get_by_role("button", name="Clear selection")
    chosen(page, "Account Status").select_option(label="Annual Subscribed")
    expect(page.get_by_role("button", name="Remove filter Account Status: Annual Subscribed")).to_be_visible()
    assert table.bounding_box() == (first | {"height": table.bounding_box()["height"]})
    filtered = table.bounding_box()
    rows(page).get_by_role("checkbox").first.check()
    expect(clear).to_be_visible()
    assert table.bounding_box() == filtered
    clear.click()
    expect(clear).to_be_hidden()
    assert table.bounding_box() == filtered


@pytest.mark.parametrize("width", [390, 1440])
def test_what_to_do_with_ticked_rows_stays_within_reach(people: People, width: int) -> None:
    page = ready(people.open(ADMIN))
    page.set_viewport_size({"width": width, "height": 800})
    tick = page.get_by_role("checkbox", name="Select Abigail Thornton")
    tick.check()
    rows(page).last.scroll_into_view_if_needed()
    expect(tick).not_to_be_in_viewport()
    expect(page.get_by_role("button", name="Export Usage Report")).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    page.get_by_role("button", name="Clear selection").click()
    expect(page.get_by_role("button", name="Export Usage Report")).to_be_hidden()


def test_an_earlier_answer_leaves_a_later_tick_as_it_is(people: People, company: Company) -> None:
    company.add("First", "Second")
    context, line = people.profile(company.email), Line()
    context.route_web_socket(re.compile("_event"), line.between)
    page = context.new_page()
    page.goto("/")
    first, second = (rows(ready(page)).filter(has_text=name) for name in ("First", "Second"))
    line.let(0)
    first.get_by_role("checkbox").check()
    second.get_by_role("checkbox").check()
    line.let(1)
    expect(first).to_have_attribute("data-ticked", "true")
    assert second.get_by_role("checkbox").is_checked()
    expect(second.get_by_role("checkbox")).not_to_be_checked()  # as no answer came for so long
    line.let(inf)
    expect(second.get_by_role("checkbox")).to_be_checked()


def test_another_filter_forgets_the_ticks(people: People) -> None:
    page = ready(people.open(ADMIN))
    page.get_by_role("checkbox", name="Select Abigail Thornton").check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    chosen(page, "Account Status").select_option(label="Trial Expired")
    expect(page).to_have_url(re.compile("status=trial_expired"))
    expect(page.get_by_text("1 selected")).to_be_hidden()


def test_quick_choices_add_up(people: People) -> None:
    """The second choice is made before the first one's answer is there."""
    page = ready(people.open(ADMIN))
    for name in ("Account Status", "Backup Status", "Billing Status"):
        chosen(page, name).select_option(index=2)
    expect(page).to_have_url(re.compile(r"status=\w+&backup=\w+&billing=\w+$"))
    page.get_by_label("Rows per page").or_(page.get_by_role("heading", name="No account matches")).first.wait_for()
    for name in ("Account Status", "Backup Status", "Billing Status"):
        expect(chosen(page, name)).not_to_have_value("")


def test_nothing_found_says_what_to_do(people: People) -> None:
    page = people.open(ADMIN, "/?search=no+such+customer")
    expect(page.get_by_role("heading", name="No account matches")).to_be_visible()
    page.get_by_role("link", name="Show all accounts").click()
    expect(count(page)).to_have_text(ALL)


def test_no_accounts_yet_offers_the_first_step(people: People, company: Company) -> None:
    page = people.open(company.email)
    expect(page.get_by_role("heading", name="No accounts yet")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="+ Add New Account").last.click()
    expect(page.get_by_role("heading", name="Add New Account", level=1)).to_be_visible()


def test_limited_sees_three_accounts_and_no_money(people: People) -> None:
    page = people.open(LIMITED, "/?billing=overdue&sort=-amount")
    expect(count(page)).to_have_text("3 of 3 Total Accounts")
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_role("columnheader", name="Size")).to_be_visible()
    for hidden in ("Billing Status", "Amount"):
        expect(page.get_by_role("columnheader", name=hidden)).to_have_count(0)
    expect(page.get_by_role("region", name="Billing Status")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Delete trial"))).to_have_count(0)
    expect(page.get_by_role("link", name="+ Add New Account")).to_have_count(0)
    figures = page.get_by_role("region", name="Backup Status").get_by_role("link").all_inner_texts()
    assert sum(number_in(text) for text in figures) == 3
    assert "€" not in page.get_by_role("main").inner_text()


def test_who_may_not_see_the_dashboard_goes_on_to_a_page_of_theirs(people: People) -> None:
    page = people.open(BILLING)
    page.wait_for_url(lambda url: urlsplit(url).path != "/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Access denied")).to_have_count(0)
    expect(page.get_by_role("link", name="Dashboard")).to_have_count(0)


def test_an_address_made_of_nonsense_shows_the_first_page(people: People) -> None:
    page = people.open(ADMIN, "/?page=99999999&size=7&sort=%27drop&status=nothing&billing=%F0%9F%8D%B3")
    expect(count(page)).to_have_text(ALL)
    expect(page.get_by_text("Page 3 of 3")).to_be_visible()


def test_the_longest_name_and_the_largest_amount_stay_inside(people: People, company: Company) -> None:
    name = "International Institute for Sustainable Coastal Horticulture"
    company.add(name, status=AccountStatus.MONTHLY, billing_status="overdue", amount_minor=9_999_999_999)
    for width in (390, 768, 1024, 1440):
        page = ready(people.open(company.email, viewport={"width": width, "height": 800}))
        expect(rows(page).get_by_role("link", name=name)).to_be_visible()
        expect(rows(page)).to_contain_text("$99,999,999.99")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{overflow} px too wide at {width}"


def test_figures_are_the_database(people: People, company: Company) -> None:
    company.add("One", "Two", "Three", status=AccountStatus.TRIAL_EXPIRED)
    company.add("Four", status=AccountStatus.ANNUAL)
    page = ready(people.open(company.email))
    assert number_in(figure(page, "Trial Status", "Expired").inner_text()) == 3
    assert number_in(figure(page, "Trial Status", "In progress").inner_text()) == 0
    assert number_in(figure(page, "Backup Status", "No backup").inner_text()) == 4
