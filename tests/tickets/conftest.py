"""The cast, with people who may open tickets; and both databases."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.models import Account, Role, Ticket, User
from portal_app.tickets import service
from tests import factories
from tests.cast import Cast, cast, make_cast

__all__ = ["cast"]


@dataclass(frozen=True)
class Desk:
    """Tess and Theo of partner A may open tickets and see the dashboard; Theo sees the first account only.

    `ticket` is Tess's, about A's second account.
    """

    cast: Cast
    tess: User
    theo: User
    ticket: Ticket

    @property
    def account(self) -> Account:
        return self.cast.accounts_a[1]

    def actor(self, name: str):
        own = {"tess": self.tess, "theo": self.theo}
        return factories.actor(own[name]) if name in own else self.cast.actor(name)


def make_desk(session: Session) -> Desk:
    cast = make_cast(session)
    rights = [str(p) for p in (Permission.TICKETS_OPEN, Permission.DASHBOARD_VIEW)]
    given = {"role": Role.CUSTOM, "permissions": rights}
    tess = factories.user(session, cast.partner_a, email="tess@people.example", name="Tess", **given)
    theo = factories.user(session, cast.partner_a, email="theo@people.example", name="Theo", **given)
    factories.give_accounts(session, theo, cast.accounts_a[0])
    about = {"topic": "backups", "subject": "It stopped", "text": "Since Monday.", "account_id": cast.accounts_a[1].id}
    return Desk(cast, tess, theo, service.open_ticket(session, factories.actor(tess), **about))


@pytest.fixture
def desk(database: Path) -> Desk:
    return db.write(make_desk)


@pytest.fixture
def each_desk(store: dict[str, str]) -> Desk:
    """The same in each database: for what locks, triggers and questions do there."""
    return db.write(make_desk)
