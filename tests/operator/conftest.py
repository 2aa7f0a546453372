"""The cast, and the operator."""

from typing import Any

import pytest
from sqlmodel import col, select

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.models import AuditEvent, OutboxMail
from tests.cast import Cast, cast, make_cast
from tests.jobs.conftest import postgres_store, store

__all__ = ["cast", "office", "olga", "postgres_store", "store"]


@pytest.fixture
def olga(cast: Cast) -> Actor:
    return cast.actor("olga")


@pytest.fixture
def office(store: dict[str, str]) -> Cast:
    """The cast on each database that is supported."""
    return db.write(make_cast)


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
