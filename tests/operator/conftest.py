"""The cast, and the operator."""

from typing import Any

import pytest
from sqlmodel import col, select

from portal_app import db
from portal_app.auth.actor import NOBODY, Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.models import AuditEvent, OutboxMail
from tests.cast import Cast, cast, make_cast

__all__ = ["cast", "office", "olga", "stranger"]


@pytest.fixture
def olga(cast: Cast) -> Actor:
    return cast.actor("olga")


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


def audited(words: str) -> set[int | None]:
    """In whose audits it stands; None is the provider's."""
    found = select(AuditEvent.partner_id).where(col(AuditEvent.description).contains(words))
    return set(db.read(lambda session: session.exec(found).all()))


def written(kind: str = "operator") -> set[str]:
    """Who was written to."""
    found = select(OutboxMail.recipient).where(OutboxMail.kind == kind)
    return set(db.read(lambda session: session.exec(found).all()))


def now(row: Any) -> Any:
    """The row as it is saved now."""
    return db.read(lambda session: session.get(type(row), row.id))
