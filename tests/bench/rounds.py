"""The rounds: every round each server does everything once, in shuffled order."""

import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random

from playwright.sync_api import Browser, Locator, Page

from tests.bench import browser as at
from tests.bench.browser import Visitor
from tests.bench.servers import DJANGO, SYSTEMS, several

Figures = dict[str, dict[str, list[float]]]  # what was done -> server -> milliseconds
COLD, FILTER, NEXT, SORT = "cold load", "filter by a status", "next page", "sort by a column"
SEARCH_MANY, SEARCH_FEW = "search, many hits", "search, few hits"
CLICKS = (FILTER, NEXT, SORT, SEARCH_MANY, SEARCH_FEW)
STATUSES = {"monthly": "Monthly Subscribed", "trial_expired": "Trial Expired", "annual": "Annual Subscribed"}
SORTED = (1, 2, 5, 6)  # email, status, amount, size
NAMES = ("novak", "meyer", "zimm", "rossi", "ueda", "keller")
NUMBERS = ("000104", "000096", "000088", "000073", "000061", "000032")
WARM_UP = 2
# Django's searches take seconds: it does them in every fifth round.
SEARCHES_EVERY = 5


def measure(browser: Browser, accounts: int, number: int, seed: int, folder: Path) -> Figures:
    """So many rounds at a size."""
    figures: Figures = defaultdict(lambda: defaultdict(list))
    chooser = Random(seed)
    with several(accounts, folder, (*SYSTEMS, DJANGO)) as servers:
        visits = [open_page(Visitor(browser, server)) for server in servers]
        for one in range(-WARM_UP, number):
            for visitor, page in chooser.sample(visits, len(visits)):
                act = admin_clicks if visitor.server.name == DJANGO else clicks
                times = {COLD: visitor.cold_load()} | act(page, one % 60, chooser)
                for what, time in times.items() if one >= 0 else ():
                    figures[what][visitor.server.name].append(time)
            print(f"\r{accounts:>9,} accounts: round {one + 1} of {number} ", end="", file=sys.stderr, flush=True)
        for visitor, page in visits:
            page.context.close()
            print(f"\n{visitor.server.name}: done", end="", file=sys.stderr)
    print(file=sys.stderr)
    return figures


def open_page(visitor: Visitor) -> tuple[Visitor, Page]:
    """The first page, painted; the clicks begin there."""
    page = visitor.new_context().new_page()
    page.goto(visitor.server.url)
    at.painted(page)
    return visitor, page


def clicks(page: Page, round_number: int, chooser: Random) -> dict[str, float]:
    """Each click once, from the same place: the first page, all accounts, by name."""
    page.bring_to_front()
    acts: dict[str, Callable[[], float]] = {
        FILTER: lambda: _filter(page, list(STATUSES)[round_number % 3]),
        NEXT: lambda: _next(page),
        SORT: lambda: _sort(page, SORTED[round_number % 4]),
        SEARCH_MANY: lambda: _search(page, NAMES[round_number % 6]),
        SEARCH_FEW: lambda: _search(page, NUMBERS[round_number % 6]),
    }
    return {what: acts[what]() for what in chooser.sample(CLICKS, len(CLICKS))}


def admin_clicks(page: Page, round_number: int, chooser: Random) -> dict[str, float]:
    """The same in Django's admin, whose clicks lead to another page each."""
    page.bring_to_front()
    status, column = list(STATUSES)[round_number % 3], SORTED[round_number % 4]
    links = {
        FILTER: page.locator(f"#changelist-filter a[href='?status__exact={status}']"),
        NEXT: page.locator(".paginator a[href='?p=2']").first,
        SORT: page.locator("th.sortable .text a").nth(column),
    }
    if round_number % SEARCHES_EVERY == 0:
        links |= {SEARCH_MANY: NAMES[round_number % 6], SEARCH_FEW: NUMBERS[round_number % 6]}
    return {what: _follow(page, links[what]) for what in chooser.sample(list(links), len(links))}


def _follow(page: Page, link: Locator | str) -> float:
    """Click a link, or search for words; then back to the first page."""
    start = page.url
    if isinstance(link, str):
        page.fill("#searchbar", link)
        link = page.locator("#changelist-search input[type=submit]")
    time = at.followed(page, link)
    page.goto(start)
    at.painted(page)
    return time


def _filter(page: Page, key: str) -> float:
    time = at.filter_by(page, key, STATUSES[key])
    at.filter_by(page, "")
    return time


def _next(page: Page) -> float:
    time = at.next_page(page)
    at.previous_page(page)
    return time


def _sort(page: Page, column: int) -> float:
    time = at.sort_by(page, column)
    at.sort_by(page, 0)
    return time


def _search(page: Page, words: str) -> float:
    time = at.search(page, words)
    at.search_all(page)
    return time
