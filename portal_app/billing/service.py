"""The rules of Billing > Status."""

from datetime import date

from sqlmodel import Session

from portal_app import clock
from portal_app.accounts import repository as accounts
from portal_app.accounts.rows import AccountRow
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import billed, books, forecasts, repository
from portal_app.billing.bills import owed
from portal_app.billing.profiles import profile_of, profile_to_change
from portal_app.billing.query import StatusQuery
from portal_app.billing.rows import Outlook, StatusPage, StatusRow, SubscriptionRow
from portal_app.billing.words import METHODS
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import BillingMethod, Partner


def status_page(session: Session, actor: Actor, query: StatusQuery) -> StatusPage:
    """A page of accounts with what each owes and will owe. Raises Denied."""
    actor.require(Permission.BILLING_VIEW)
    page = accounts.page(session, actor, query)
    today = clock.day_in(actor.time_zone)
    subscriptions = repository.subscriptions_of(session, [row.id for row in page.rows], today)
    open_now = owed(session, actor)
    return StatusPage(
        rows=[_row(row, subscriptions.get(row.id)) for row in page.rows],
        matching=page.matching,
        more=page.more,
        total=page.total,
        due_minor=open_now.due_minor + open_now.overdue_minor,
        method=_method(session, actor),
        priced=_is_priced(session, actor, today),
    )


def outlook(session: Session, actor: Actor) -> Outlook:
    """What the next bills will be. Apart from the page: of many thousand accounts it takes seconds. Raises Denied."""
    expected = forecasts.forecast_of(session, actor)
    return Outlook(expected, billed.chart(session, actor, expected.values()))


def choose_method(session: Session, actor: Actor, method: str) -> None:
    """The first choice of how the partner is billed; later only an operator changes it. Raises Denied, Conflict."""
    actor.require(Permission.PAYMENT_MANAGE)
    if actor.partner_id is None:
        raise NotFound("There is no such partner.")
    if method not in list(BillingMethod):
        raise Invalid("Choose Credit Card or Invoice.")
    profile = profile_to_change(session, actor.partner_id)
    if profile.method:
        raise Conflict("The billing method is chosen already. Ask the provider to change it.")
    profile.method = method
    session.add(profile)
    record(session, actor, Activity.BILLING_DETAILS, f"Billing method: {METHODS[BillingMethod(method)]}")


def _method(session: Session, actor: Actor) -> str:
    return (profile_of(session, actor.partner_id).method or "") if actor.partner_id is not None else ""


def _is_priced(session: Session, actor: Actor, today: date) -> bool:
    partner = session.get(Partner, actor.partner_id) if actor.partner_id is not None else None
    return partner is not None and books.Shelf(session, partner).holding(today) is not None


def _row(row: AccountRow, subscription: SubscriptionRow | None) -> StatusRow:
    return StatusRow(
        id=row.id,
        name=row.name,
        email=row.email,
        status=row.status,
        billing_status=row.billing_status,
        amount_minor=row.amount_minor,
        subscription=subscription,
    )
