"""The table's page stays in memory only as long as it is true, and only for who sees the same."""

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.dashboard import service
from portal_app.dashboard.rows import NOTHING
from portal_app.errors import Denied
from portal_app.models import Account, BillingStatus, Partner
from tests import factories
from tests.plans import asked

pytestmark = pytest.mark.usefixtures("database")
FIRST = AccountQuery()


@pytest.fixture
def account() -> Account:
    def add(session: Session) -> Account:
        owing = {"billing_status": BillingStatus.DUE, "amount_minor": 1_250}
        return factories.account(session, factories.partner(session), name="Ash", **owing)

    return db.write(add)


def reader(partner_id: int, **given: object) -> Actor:
    """A new person of the partner."""
    return db.write(
        lambda session: factories.actor(factories.user(session, session.get_one(Partner, partner_id), **given))
    )


def names(actor: Actor, query: AccountQuery = FIRST) -> list[str]:
    return [line["name"] for line in db.read(service.table, actor, query).lines]


def rename(session: Session, account: Account, name: str) -> None:
    session.get_one(Account, account.id).name = name
    session.flush()


def test_it_is_read_again_after_a_change_and_only_then(account: Account) -> None:
    actor = reader(account.partner_id)
    assert names(actor) == ["Ash"]
    with asked() as statements:
        assert names(actor) == ["Ash"]
    assert not [one for one, *_ in statements if "FROM account" in one]
    db.write(rename, account, "Birch")
    assert names(actor) == ["Birch"]


def test_each_question_has_its_own(account: Account) -> None:
    actor = reader(account.partner_id)
    assert names(actor) == ["Ash"]
    assert names(actor, AccountQuery(billing=BillingStatus.OVERDUE)) == []
    assert names(actor) == ["Ash"]


def test_who_sees_less_is_not_shown_what_others_saw(account: Account) -> None:
    all_of_it = reader(account.partner_id)
    assert [line["amount"] for line in db.read(service.table, all_of_it, FIRST).lines] != [NOTHING]
    may = frozenset({Permission.DASHBOARD_VIEW})
    without_billing = reader(account.partner_id, role="custom", permissions=list(may))
    assert [line["amount"] for line in db.read(service.table, without_billing, FIRST).lines] == [NOTHING]
    chosen_only = reader(account.partner_id, role="custom", permissions=list(may), all_accounts=False)
    assert names(chosen_only) == []
    stranger = reader(int(db.write(factories.partner).id or 0))
    assert names(stranger) == []
    nobody = reader(account.partner_id, role="custom", permissions=[Permission.BILLING_VIEW])
    with pytest.raises(Denied):
        names(nobody)


def test_what_is_rolled_back_is_not_kept(account: Account) -> None:
    actor = reader(account.partner_id)

    def fail(session: Session) -> None:
        rename(session, account, "Birch")
        assert [line["name"] for line in service.table(session, actor, FIRST).lines] == ["Birch"]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(fail)
    # The next change gives the partner the number that the one that was rolled back had.
    db.write(rename, account, "Cedar")
    assert names(actor) == ["Cedar"]
