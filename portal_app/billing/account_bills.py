"""The rules of the page of an account's bills."""

from sqlmodel import Session

from portal_app import clock
from portal_app.accounts import service as accounts
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import account_reading, forecasts, subscriptions
from portal_app.billing.account_rows import AccountBilling, AccountLine
from portal_app.billing.plan import Forecast
from portal_app.errors import NotFound

BILLS_AT_MOST = 120
NO_SUCH_LINE = "There is no such line."


def account_page(session: Session, actor: Actor, account_id: int, number: int | None = None) -> AccountBilling:
    """The account's bills, with the lines of one of them: the one of that number, else the newest. Denied, NotFound."""
    actor.require(Permission.BILLING_VIEW)
    account = accounts.get(session, actor, account_id)
    today = clock.day_in(actor.time_zone)
    bills = account_reading.bills_of(session, actor, account_id, today, BILLS_AT_MOST)
    chosen = next((bill for bill in bills if bill.number == number), bills[0] if bills else None)
    return AccountBilling(
        id=account_id,
        name=account.name,
        email=account.email,
        status=account.status,
        billing_status=account.billing_status,
        amount_minor=account.amount_minor,
        subscription=subscriptions.standing(session, actor, account_id),
        paid=account_reading.paid_of(session, actor, account_id),
        bills=bills,
        bill=chosen,
        lines=account_reading.lines_of(session, actor, account_id, chosen.id) if chosen else [],
    )


def expected(session: Session, actor: Actor, account_id: int) -> Forecast | None:
    """The account's part of its next bill. Apart from the page: it is made of all the partner's accounts. Denied."""
    return forecasts.forecast_of(session, actor).get(account_id)


def line(session: Session, actor: Actor, account_id: int, bill_id: int, position: int) -> AccountLine:
    """One line of one of the account's bills, with its trace. Raises Denied, NotFound."""
    actor.require(Permission.BILLING_VIEW)
    accounts.get(session, actor, account_id)
    lines = account_reading.lines_of(session, actor, account_id, bill_id)
    found = next((one for one in lines if one.position == position), None)
    if found is None:
        raise NotFound(NO_SUCH_LINE)
    return found
