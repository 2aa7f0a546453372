"""What is read in one go is of one moment, and any number may be asked for, on both databases."""

from threading import Thread

import pytest
from sqlmodel import Session, func, select

from portal_app import db
from portal_app.accounts import service
from portal_app.auth.actor import system
from portal_app.errors import NotFound
from portal_app.models import Partner
from tests import factories
from tests.stores import Environment


def _partners(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Partner)).one()


def test_what_others_write_meanwhile_is_seen_by_the_next(store: Environment) -> None:
    with db.reading() as session:
        assert _partners(session) == 0
        other = Thread(target=db.write, args=(factories.partner,))
        other.start()
        other.join()
        assert _partners(session) == 0
    assert db.read(_partners) == 1


def test_a_number_that_no_key_reaches_is_nobodys(store: Environment) -> None:
    partner = db.write(factories.partner)
    for number in (10**6, 10**12, -(10**12)):
        with pytest.raises(NotFound):
            db.read(service.account_details, system(partner.id), number)
