"""What the dashboard reads, in one consistent view of the database."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlmodel import Session

from portal_app import clock, db, live
from portal_app.accounts import service as accounts
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import repository as backups
from portal_app.billing import billed
from portal_app.dashboard.rows import Line, Widgets, line, widgets
from portal_app.geometry import BarChart, LineChart, Series, stacked_bars
from portal_app.geometry import line_chart as draw_line
from portal_app.paging import pages_of
from portal_app.sizes import size_text

CHART_DAYS = 30
# In rows of an index: SQLite has walked along them sooner than a thread could be woken to do so.
SHORT_WALK = 1_000
# Of all partners together, some 30 kB each.
MOST_KEPT = 100
OUTCOMES = ("Successful", "Partially Failed", "Failed")


@dataclass(frozen=True, slots=True)
class Table:
    """The table and the widgets of one moment; `number` is the change they show."""

    lines: list[Line]
    count: str
    pages: int
    total: int
    matching: int
    widgets: Widgets
    number: int


# Of each database: pages by who sees the same there.
_kept: WeakKeyDictionary[Any, dict[Any, Table]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Charts:
    """Backups per day by outcome, stored bytes over time, and what was billed per month, for who may see that."""

    backups: BarChart
    stored: LineChart
    billed: BarChart


def is_quick(actor: Actor, query: AccountQuery) -> bool:
    """Whether the table's page is found by a short walk along one index, whatever the number of accounts."""
    filters = sum(map(bool, query.filters.values()))
    one_index = not filters or (filters == 1 and query.sort == "name")
    return actor.all_accounts and not query.search and one_index and query.page * query.size <= SHORT_WALK


def table(session: Session, actor: Actor, query: AccountQuery) -> Table:
    """The table's page and the widgets' figures; only read them.

    A page without a search, for who sees all accounts, stands until one of the partner's changes: that counts the
    partner's number on in the same transaction.
    """
    actor.require(Permission.DASHBOARD_VIEW)
    number = live.number_of(session, actor.partner_id) if actor.partner_id else 0
    if not number or not actor.all_accounts or query.search or not db.is_reading(session):
        return _read(session, actor, query, number)
    bind: Any = session.bind
    kept = _kept.setdefault(bind.engine, {})
    seen_by = (actor.kind, actor.partner_id, actor.currency, actor.may(Permission.BILLING_VIEW), query)
    found = kept.get(seen_by)
    if found is None or found.number != number:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        found = kept[seen_by] = _read(session, actor, query, number)
    return found


def _read(session: Session, actor: Actor, query: AccountQuery, number: int) -> Table:
    page = accounts.list_page(session, actor, query)
    show_billing = actor.may(Permission.BILLING_VIEW)
    matching = f"{page.matching:,}" + ("+" if page.more else "")
    return Table(
        lines=[line(row, actor.currency, show_billing) for row in page.rows],
        count=f"{matching} of {page.total:,} Total Accounts",
        pages=pages_of(page.matching, query.size),
        total=page.total,
        matching=page.matching,
        widgets=widgets(page.totals, actor.currency, show_billing),
        number=number,
    )


def _size(value: float) -> str:
    return size_text(int(value)).replace(".00", "")


def charts(session: Session, actor: Actor) -> Charts:
    """The charts of the last 30 days, today included."""
    actor.require(Permission.DASHBOARD_VIEW)
    since = clock.today() - timedelta(days=CHART_DAYS - 1)
    days = backups.backups_per_day(session, actor, since)
    stored = backups.stored_per_day(session, actor, since)
    labels = [f"{row.day:%b} {row.day.day}" for row in days]
    return Charts(
        backups=stacked_bars(
            labels,
            [
                Series(OUTCOMES[0], "green", [row.successful for row in days]),
                Series(OUTCOMES[1], "orange", [row.partial for row in days]),
                Series(OUTCOMES[2], "red", [row.failed for row in days]),
            ],
        ),
        stored=draw_line(labels, [row.stored_bytes for row in stored], words=_size),
        billed=billed.chart(session, actor) if actor.may(Permission.BILLING_VIEW) else BarChart(),
    )
