"""No click on the dashboard may read the whole table, nor sort it: an index serves each order and filter."""

from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlmodel import Session, col

from portal_app import db
from portal_app.accounts import repository
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor, system
from portal_app.demo.generator import generate
from portal_app.models import Partner
from portal_app.settings import reset_settings
from tests.plans import Statement, asked, learn, plan

ACCOUNTS = 20_000
# SQLite's, and PostgreSQL's.
SEARCHED = {"account_search", "account_search_name_key", "account_search_email_key"}
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"status": "monthly"},
    {"status": "trial_expiring"},
    {"backup": "failed"},
    {"billing": "overdue"},
    {"status": "monthly", "backup": "failed"},
)


@pytest.fixture
def partner(database: Path, monkeypatch: pytest.MonkeyPatch) -> Actor:
    """The benchmark partner with so many accounts that a wrong plan would show."""
    monkeypatch.setenv("PORTAL_DEMO", "1")
    reset_settings()
    generate(ACCOUNTS)
    learn()
    return system(
        db.read(lambda session: session.scalar(select(col(Partner.id)).where(col(Partner.code) == "BENCH001")))
    )


def asked_for(actor: Actor, query: AccountQuery) -> list[Statement]:
    """The statements that read accounts for the page."""
    with asked() as statements:
        db.read(repository.page, actor, query)
    return [one for one in statements if "FROM account" in one[0] and "FROM account_total" not in one[0]]


@pytest.fixture
def never_analyzed(partner: Actor) -> None:
    """SQLite's planner does not know how often each value occurs."""
    with db.writing() as session:
        session.execute(text("DELETE FROM sqlite_stat1"))
        session.execute(text("ANALYZE sqlite_schema"))
    db.reset_engine()


def _knows_trigrams(session: Session) -> bool:
    return session.scalar(text("SELECT true FROM pg_extension WHERE extname = 'pg_trgm'")) or False


def _each_walks_an_index(partner: Actor) -> None:
    last = {str(one): db.read(repository.page, partner, AccountQuery(**one)).matching // 25 for one in FILTERS}
    for chosen in FILTERS:
        for sort in AccountQuery.SORTS:
            for page in (1, 2, last[str(chosen)]):
                query = AccountQuery(sort=sort, descending=page == 2, page=page, **chosen)
                (statement,) = asked_for(partner, query)
                found = plan(statement)
                assert any(name.startswith("ix_account_partner_id") for name in found.indexes), (query, found)
                assert not found.scanned and not found.sorted, (query, found)


def test_each_order_and_filter_walks_an_index(partner: Actor) -> None:
    _each_walks_an_index(partner)


@pytest.mark.sqlite(reason="PostgreSQL counts by itself")
@pytest.mark.usefixtures("never_analyzed")
def test_each_order_and_filter_walks_an_index_that_was_never_counted(partner: Actor) -> None:
    _each_walks_an_index(partner)


def test_a_search_asks_the_trigram_index(partner: Actor) -> None:
    if db.engine().dialect.name == "postgresql" and not db.read(_knows_trigrams):
        pytest.skip("this PostgreSQL has no pg_trgm")
    # PostgreSQL finds what many hold sooner in the list's own order.
    many = ["novak"] if db.engine().dialect.name == "sqlite" else []
    for words in (*many, "000104", "nov rar"):
        for statement in asked_for(partner, AccountQuery(search=words)):
            found = plan(statement)
            assert SEARCHED & found.indexes and "account" not in found.scanned, found


def test_few_matches_are_found_by_the_filter_and_sorted(partner: Actor) -> None:
    query = AccountQuery(status="annual", backup="failed", billing="overdue", sort="email", page=1)
    (statement,) = asked_for(partner, query)
    found = plan(statement)
    assert any("status" in name for name in found.indexes), found
    assert not any("email_key" in name for name in found.indexes), found


def test_a_combination_that_nobody_has_is_not_looked_for(partner: Actor) -> None:
    assert asked_for(partner, AccountQuery(status="trial_expired", billing="overdue")) == []
