"""The cast of these tests: a partner's account, people who see all or some of it, and a stranger."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from portal_app import clock, db, migrations
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.backups.intake import RunReport
from portal_app.settings import reset_settings
from tests import factories


@dataclass(frozen=True)
class Cast:
    """Alice's engine reports for her partner; Bob sees only the first account; Charlie is with another partner."""

    partner_id: int
    account: int
    other_account: int
    email: str
    engine: Actor
    alice: Actor
    bob: Actor
    customer: Actor
    charlie: Actor
    charlies_account: int


def make_cast(session: Session) -> Cast:
    ours, theirs = factories.partner(session), factories.partner(session)
    first, second = factories.account(session, ours), factories.account(session, ours)
    stranger = factories.account(session, theirs)
    bob = factories.user(session, ours)
    factories.give_accounts(session, bob, first)
    customer = factories.user(session, kind="customer", account_id=first.id)
    return Cast(
        partner_id=ours.id,
        account=first.id,
        other_account=second.id,
        email=first.email,
        engine=engine_of(ours.id),
        alice=factories.actor(factories.user(session, ours)),
        bob=factories.actor(bob),
        customer=factories.actor(customer),
        charlie=factories.actor(factories.user(session, theirs)),
        charlies_account=stranger.id,
    )


def engine_of(partner_id: int) -> Actor:
    """A program with a token of the partner."""
    permissions = frozenset({Permission.BACKUPS_RUN})
    return Actor(ActorKind.TOKEN, partner_id=partner_id, name="Engine", permissions=permissions, all_accounts=True)


def report(of: Cast, **given: Any) -> RunReport:
    """A successful run that ended now, unless told otherwise; `minutes` moves its end."""
    finished: datetime = given.pop("finished", clock.now() + timedelta(minutes=given.pop("minutes", 0)))
    values = {
        "account": of.account,
        "task": "files",
        "run": "run-1",
        "started": finished - timedelta(minutes=1),
        "finished": finished,
        "outcome": "successful",
        "added_bytes": 10,
        "size_bytes": 1000,
        "entities": 7,
    }
    return RunReport.read(values | given)


def without(actor: Actor, permission: Permission) -> Actor:
    return replace(actor, permissions=actor.permissions - {permission})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        request.getfixturevalue("database")
        return request.param
    monkeypatch.setenv("PORTAL_DATABASE_URL", request.getfixturevalue("postgres_url"))
    reset_settings()
    db.reset_engine()
    migrations.upgrade()
    return request.param


@pytest.fixture
def cast(database: Path) -> Cast:
    return db.write(make_cast)


@pytest.fixture
def cast_anywhere(any_database: str) -> Cast:
    return db.write(make_cast)


def at_once(do: Callable[[int], Any], times: int) -> list[Any]:
    """`do(0)`, `do(1)`, … in as many threads that start at the same moment. Raises what they raise."""
    barrier = threading.Barrier(times)

    def one(number: int) -> Any:
        barrier.wait(timeout=20)
        return do(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))
