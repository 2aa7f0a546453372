"""No click on the dashboard may read the whole table, nor sort it: an index serves each order and filter."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlmodel import col

from portal_app import db
from portal_app.accounts import repository
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor, system
from portal_app.demo.generator import generate
from portal_app.models import Partner
from portal_app.settings import reset_settings

ACCOUNTS = 20_000
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"status": "monthly"},
    {"status": "trial_expiring"},
    {"backup": "failed"},
    {"billing": "overdue"},
    {"status": "monthly", "backup": "failed"},
)
Statement = tuple[str, Any]


@pytest.fixture
def partner(database: Path, monkeypatch: pytest.MonkeyPatch) -> Actor:
    """The benchmark partner with so many accounts that a wrong plan would show."""
    monkeypatch.setenv("PORTAL_DEMO", "1")
    reset_settings()
    generate(ACCOUNTS)
    return system(
        db.read(lambda session: session.scalar(select(col(Partner.id)).where(col(Partner.code) == "BENCH001")))
    )


@pytest.fixture
def statements(partner: Actor) -> Iterator[list[Statement]]:
    """Every statement that is sent to the database, with its values."""
    seen: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        seen.append((statement, values))

    event.listen(db.engine(), "before_cursor_execute", note)
    yield seen
    event.remove(db.engine(), "before_cursor_execute", note)


def plan(database: Path, statement: Statement, *, counted: bool) -> str:
    """What SQLite would do; `counted`: it knows how often each value occurs (ANALYZE)."""
    with sqlite3.connect(database) as connection:
        if not counted:
            connection.execute("DELETE FROM sqlite_stat1")
            connection.execute("ANALYZE sqlite_schema")
        lines = connection.execute(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]).fetchall()
        connection.rollback()
    return "; ".join(line[3] for line in lines)


def asked(statements: list[Statement], actor: Actor, query: AccountQuery) -> list[Statement]:
    """The statements that read accounts for the page."""
    statements.clear()
    db.read(repository.page, actor, query)
    return [one for one in statements if "FROM account" in one[0] and "FROM account_total" not in one[0]]


@pytest.mark.parametrize("counted", [True, False], ids=["analyzed", "never analyzed"])
def test_each_order_and_filter_walks_an_index(
    database: Path, partner: Actor, statements: list[Statement], counted: bool
) -> None:
    last = {str(one): db.read(repository.page, partner, AccountQuery(**one)).matching // 25 for one in FILTERS}
    for chosen in FILTERS:
        for sort in AccountQuery.SORTS:
            for page in (1, 2, last[str(chosen)]):
                query = AccountQuery(sort=sort, descending=page == 2, page=page, **chosen)
                (statement,) = asked(statements, partner, query)
                found = plan(database, statement, counted=counted)
                assert "USING INDEX ix_account_partner_id" in found, (query, found)
                assert "SCAN" not in found and "TEMP B-TREE" not in found, (query, found)


def test_a_search_asks_the_trigram_index(database: Path, partner: Actor, statements: list[Statement]) -> None:
    for words in ("novak", "000104", "nov rar"):
        for statement in asked(statements, partner, AccountQuery(search=words)):
            found = plan(database, statement, counted=True)
            assert "account_search VIRTUAL TABLE INDEX" in found and "SCAN account;" not in f"{found};", found


def test_few_matches_are_found_by_the_filter_and_sorted(
    database: Path, partner: Actor, statements: list[Statement]
) -> None:
    query = AccountQuery(status="annual", backup="failed", billing="overdue", sort="email", page=1)
    (statement,) = asked(statements, partner, query)
    found = plan(database, statement, counted=True)
    assert "status" in found and "email_key" not in found, found


def test_a_combination_that_nobody_has_is_not_looked_for(partner: Actor, statements: list[Statement]) -> None:
    assert asked(statements, partner, AccountQuery(status="trial_expired", billing="overdue")) == []
