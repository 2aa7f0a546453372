"""Totals stay in memory only as long as they are true."""

import pytest
from sqlalchemy import event
from sqlmodel import Session

from portal_app import db
from portal_app.accounts import totals
from portal_app.models import Account, AccountStatus, Partner
from tests import factories

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def account() -> Account:
    return db.write(
        lambda session: factories.account(session, factories.partner(session), status=AccountStatus.MONTHLY)
    )


def of(partner_id: int) -> dict[str, int]:
    return {total.status: total.accounts for total in db.read(totals.of_partner, partner_id)}


def cancel(session: Session, account: Account) -> None:
    found = session.get_one(Account, account.id)
    found.status = AccountStatus.ANNUAL
    session.flush()


def _add(session: Session, to: Partner) -> Account:
    return factories.account(session, to, status=AccountStatus.MONTHLY)


def test_they_are_read_again_after_a_change_and_only_then(account: Account) -> None:
    partner_id = account.partner_id
    assert of(partner_id) == {"monthly": 1}
    read: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *given: read.append(given[2]))
    assert of(partner_id) == {"monthly": 1}
    assert not [one for one in read if "account_total" in one]
    db.write(cancel, account)
    assert of(partner_id) == {"annual": 1}


def test_what_is_rolled_back_is_not_kept(account: Account) -> None:
    partner_id = account.partner_id

    def fail(session: Session) -> None:
        cancel(session, account)
        assert [total.status for total in totals.of_partner(session, partner_id)] == ["annual"]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(fail)
    # The next change gives the partner the number that the one that was rolled back had.
    db.write(lambda session: _add(session, session.get_one(Partner, partner_id)))
    assert of(partner_id) == {"monthly": 2}
