"""The cast, the databases, and rows of the audit to look at."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import Session
from starlette.applications import Starlette

from portal_app import clock, db
from portal_app.api import app as api
from portal_app.audit import chain, routes
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import limiter
from portal_app.auth.actor import Actor
from tests.cast import Cast, cast

__all__ = ["cast"]
Send = Callable[..., httpx.Response]


@pytest.fixture(autouse=True)
def _nothing_refused_yet() -> Iterator[None]:
    limiter.reset_limits()
    yield
    limiter.reset_limits()


@pytest.fixture
def send(cast: Cast) -> Send:
    """Sends a request to the audit's route or to the API."""

    def sending(method: str, path: str, **given: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            app = Starlette(routes=[*routes.routes, *api.routes])
            transport = httpx.ASGITransport(app, client=("192.0.2.7", 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
                return await client.request(method, path, **given)

        return asyncio.run(run())

    return sending


def make_rows(session: Session, partner_id: int | None, number: int) -> None:
    """So many rows, a minute after the other, each a bit different."""
    begun = clock.now() - timedelta(days=30)
    chain.add(
        session,
        (
            {
                "partner_id": partner_id,
                "account_id": None,
                "account_name": "",
                "user_id": one % 3,
                "performed_by": f"person{one % 3}@people.example",
                "activity": Activity.SIGN_IN if one % 2 else Activity.SETTINGS_CHANGED,
                "completed": one % 5 != 0,
                "description": f"What was done, {one}",
                "address": "192.0.2.9",
                "browser": "Firefox on Linux",
                "made_at": begun + timedelta(minutes=one),
            }
            for one in range(number)
        ),
    )


def deed(session: Session, actor: Actor, **given) -> None:
    """One row of an account that was opened."""
    record(session, actor, Activity.ACCOUNT_ACCESSED, "Opened the account.", **given)


@pytest.fixture
def audited(cast: Cast) -> Cast:
    """Both partners with a row of each account; in A also what Carol did to no account and Dave to his."""

    def fill(session: Session) -> None:
        for name, accounts in (("alice", cast.accounts_a), ("mallory", cast.accounts_b)):
            for account in accounts:
                deed(session, cast.actor(name), account=(account.id, account.name))
        record(session, cast.actor("carol"), Activity.BILLING_DETAILS, "Address changed", completed=False)
        record(session, cast.actor("dave"), Activity.SIGN_IN, "Signed in")

    db.write(fill)
    return cast
