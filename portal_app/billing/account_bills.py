"""The rules of the page of an account's bills."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from portal_app import clock
from portal_app.accounts import repository
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import account_reading, forecasts, standing, subscriptions
from portal_app.billing.account_rows import AccountBilling, AccountLine
from portal_app.billing.plan import Forecast
from portal_app.errors import NotFound
from portal_app.models import BillingStatus
from portal_app.portal_import import service as portal_import
from portal_app.portal_import.rows import bill_lines

BILLS_AT_MOST = 120
NO_SUCH_LINE = "There is no such line."


def account_page(session: Session, actor: Actor, account_id: int, number: int | None = None) -> AccountBilling:
    """The account's bills, with the lines of one of them: the one of that number, else the newest. Denied, NotFound."""
    actor.require(Permission.BILLING_VIEW)
    today = clock.day_in(actor.time_zone)
    account = _account(session, actor, account_id, today)
    bills = account_reading.bills_of(session, actor, account_id, today, BILLS_AT_MOST)
    chosen = next((bill for bill in bills if bill.number == number), bills[0] if bills else None)
    return AccountBilling(
        id=account_id,
        name=account.name,
        email=account.email,
        status=account.status,
        billing_status=account.billing_status,
        amount_minor=account.amount_minor,
        deleted_at=account.deleted_at,
        subscription=None if account.deleted_at else subscriptions.standing(session, actor, account_id),
        paid=account_reading.paid_of(session, actor, account_id),
        bills=bills,
        bill=chosen,
        lines=account_reading.lines_of(session, actor, account_id, chosen.id) if chosen else [],
        imported=bill_lines(portal_import.bills_of(session, actor, account_id, BILLS_AT_MOST)),
    )


def expected(session: Session, actor: Actor, account_id: int) -> Forecast | None:
    """The account's part of its next bill. Apart from the page: it is made of all the partner's accounts. Denied."""
    return forecasts.forecast_of(session, actor).get(account_id)


def line(session: Session, actor: Actor, account_id: int, bill_id: int, position: int) -> AccountLine:
    """One line of one of the account's bills, with its trace. Raises Denied, NotFound."""
    actor.require(Permission.BILLING_VIEW)
    _account(session, actor, account_id, clock.day_in(actor.time_zone))
    lines = account_reading.lines_of(session, actor, account_id, bill_id)
    found = next((one for one in lines if one.position == position), None)
    if found is None:
        raise NotFound(NO_SUCH_LINE)
    return found


@dataclass(frozen=True, slots=True)
class _Account:
    """An account, or what stays of it for its bills."""

    name: str
    email: str
    status: str
    billing_status: str
    amount_minor: int
    deleted_at: datetime | None = None


def _account(session: Session, actor: Actor, account_id: int, today: date) -> _Account:
    if found := repository.find_account(session, actor, account_id):
        return _Account(found.name, found.email, found.status, found.billing_status, found.amount_minor)
    gone = repository.find_deleted(session, actor, account_id)
    if gone is None:
        raise NotFound(subscriptions.NOT_FOUND)
    status, owed = standing.standings(session, [account_id], today).get(account_id, (BillingStatus.NONE.value, 0))
    return _Account(gone.name, gone.email, "", status, owed, gone.deleted_at)
