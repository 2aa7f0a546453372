"""The cast, also on each database that is supported, and who may nothing in the console."""

import pytest

from portal_app import db
from portal_app.auth.actor import NOBODY, Actor, ActorKind
from portal_app.auth.permissions import Permission
from tests.cast import Cast, cast, make_cast
from tests.jobs.conftest import postgres_store, store

__all__ = ["cast", "office", "postgres_store", "store", "stranger"]


@pytest.fixture
def office(store: dict[str, str]) -> Cast:
    """The cast on each database that is supported."""
    return db.write(make_cast)


@pytest.fixture(params=["alice", "bob", "dave", "token", "nobody"])
def stranger(request: pytest.FixtureRequest, cast: Cast) -> Actor:
    """Somebody who is no operator: with all rights of a partner, a customer, a program, nobody."""
    if request.param == "token":
        rights = frozenset(Permission)
        return Actor(kind=ActorKind.TOKEN, partner_id=cast.partner_a.id, permissions=rights, all_accounts=True)
    return NOBODY if request.param == "nobody" else cast.actor(request.param)
