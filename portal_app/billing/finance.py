"""What operators see and set of a partner's billing: method, bills together or apart, its bills and their money."""

from datetime import date

from sqlalchemy import ColumnElement, Select, func
from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.accounts import repository as accounts
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.billing import bill_reading, books, inputs
from portal_app.billing.balance import balance_of, bill_by_number
from portal_app.billing.finance_rows import (
    BillDetails,
    BillEntry,
    NoteRow,
    PartnerTerms,
    PaymentRow,
    SubscriptionRow,
)
from portal_app.billing.operators import note
from portal_app.billing.profiles import profile_of, profile_to_change
from portal_app.billing.words import METHODS
from portal_app.errors import Invalid, NotFound
from portal_app.models import (
    Account,
    AttemptState,
    Bill,
    BillingMethod,
    BillKind,
    BillState,
    Partner,
    Payment,
    PaymentAttempt,
    Subscription,
)
from portal_app.text import clean, searchable

_OPEN_ATTEMPTS = (AttemptState.STARTED, AttemptState.UNKNOWN)


def terms_of(session: Session, actor: Actor, code: str) -> PartnerTerms:
    """How the partner is billed. Raises Denied, NotFound."""
    partner = _partner(session, actor, code)
    profile = profile_of(session, partner.id or 0)
    book = books.Shelf(session, partner).holding(clock.day_in(partner.time_zone))
    return PartnerTerms(
        code=partner.code,
        name=partner.name,
        currency=partner.currency,
        method=profile.method or "",
        payment_day=profile.payment_day,
        annual_together=profile.annual_together,
        billed_through=profile.billed_through,
        book=book.name if book else "",
        book_from=book.valid_from if book else None,
    )


def set_method(session: Session, actor: Actor, code: str, method: str) -> None:
    """Bill the partner by card or by invoice from its next bill on. Raises Denied, NotFound, Invalid."""
    partner = _partner(session, actor, code)
    if method not in list(BillingMethod):
        raise Invalid(method="Choose Credit Card or Invoice.")
    profile = profile_to_change(session, partner.id or 0)
    if profile.method != method:
        profile.method = method
        session.add(profile)
        _note(session, actor, partner, f"Billing method: {METHODS[BillingMethod(method)]}")


def set_annual_together(session: Session, actor: Actor, code: str, on: bool) -> None:
    """Let annual subscriptions that start on one day share a bill, or not. Raises Denied, NotFound."""
    partner = _partner(session, actor, code)
    profile = profile_to_change(session, partner.id or 0)
    if profile.annual_together != on:
        profile.annual_together = on
        session.add(profile)
        _note(session, actor, partner, f"Annual subscriptions of one day share a bill: {'yes' if on else 'no'}")


def subscriptions(
    session: Session, actor: Actor, code: str, words: str, page: tuple[int, int]
) -> tuple[list[SubscriptionRow], int]:
    """A page (its number and size) of the partner's subscribed accounts by name, and how many match.

    Raises Denied, NotFound.
    """
    partner = _partner(session, actor, code)
    where: list[ColumnElement[bool]] = [col(Subscription.partner_id) == partner.id]
    if found := searchable(words):
        where.append(accounts.holds(session, found))
    query = select(Subscription, Account).join(Account, col(Account.id) == col(Subscription.account_id)).where(*where)
    rows = session.exec(
        query.order_by(col(Account.name_key), col(Account.id)).offset((page[0] - 1) * page[1]).limit(page[1])
    )
    return [SubscriptionRow(a.id or 0, a.name, a.email, s.plan, s.covered_until, s.excluded) for s, a in rows], _count(
        session, query
    )


def exclude(session: Session, actor: Actor, account_id: int, on: bool) -> str:
    """Bill a subscription apart from the others, on its own day of the month, or with them again; the account's name.

    Days that a bill covers stay covered. Raises Denied, NotFound.
    """
    actor.require_provider()
    mine = select(Subscription).where(col(Subscription.account_id) == account_id).with_for_update()
    found, account = session.exec(mine).first(), session.get(Account, account_id)
    if found is None or account is None:
        raise NotFound("There is no such subscription.")
    if found.excluded != on:
        found.excluded = on
        found.acts_on = inputs.contract_of(found, account.name, account.email).acts_on
        session.add(found)
        said = f"{account.name}: {'billed on a bill of its own' if on else 'on the consolidated bill again'}"
        note(session, actor, found.partner_id, Activity.BILLING_DETAILS, said)
    return account.name


def bills(session: Session, actor: Actor, code: str, page: tuple[int, int]) -> tuple[list[BillEntry], int]:
    """A page (its number and size) of the partner's bills and credit notes, the newest first; how many there are."""
    partner = _partner(session, actor, code)
    today = clock.day_in(partner.time_zone)
    query = select(Bill, bill_reading.status(today), bill_reading.account_name()).where(
        col(Bill.partner_id) == partner.id
    )
    rows = session.execute(query.order_by(col(Bill.number).desc()).offset(_first(page)).limit(page[1]))
    return [_line(bill, status, name) for bill, status, name in rows], _count(session, query)


def details(session: Session, actor: Actor, number: int) -> BillDetails:
    """A bill or credit note with its money. Raises Denied, NotFound."""
    bill = bill_by_number(session, actor, number)
    partner = session.get_one(Partner, bill.partner_id)
    is_note = bill.kind == BillKind.CREDIT_NOTE
    balance = None if is_note else balance_of(session, bill)
    account = session.exec(select(bill_reading.account_name()).where(col(Bill.id) == bill.id)).first()
    return BillDetails(
        number=bill.number,
        id=bill.id or 0,
        kind=bill.kind,
        credits_number=session.get_one(Bill, bill.credits_id).number if bill.credits_id else 0,
        partner=partner.code,
        partner_name=partner.name,
        account_name=account or "",
        method=bill.method,
        state=bill.state if is_note else _state(session, bill, clock.day_in(partner.time_zone)),
        issued_on=bill.issued_on,
        due_on=bill.due_on,
        currency=bill.currency,
        net_minor=bill.net_minor,
        tax_minor=bill.tax_minor,
        total_minor=bill.total_minor,
        settled_minor=bill.settled_minor,
        creditable_minor=balance.creditable if balance else 0,
        back_minor=balance.back if balance else 0,
        under_way=_is_under_way(session, bill),
        payments=_payments(session, bill),
        notes=_notes(session, bill),
    )


def _partner(session: Session, actor: Actor, code: str) -> Partner:
    actor.require_provider()
    partner = session.exec(select(Partner).where(Partner.code == clean(code).upper())).first()
    if partner is None:
        raise NotFound("There is no such partner.")
    return partner


def _note(session: Session, actor: Actor, partner: Partner, said: str) -> None:
    note(session, actor, partner.id, Activity.BILLING_DETAILS, said)


def _first(page: tuple[int, int]) -> int:
    return (page[0] - 1) * page[1]


def _count(session: Session, query: Select) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def _state(session: Session, bill: Bill, today: date) -> str:
    """The bill's state, or for an open one whether it is due or overdue."""
    if bill.state != BillState.OPEN:
        return bill.state
    return session.exec(select(bill_reading.status(today)).where(col(Bill.id) == bill.id)).one()


def _line(bill: Bill, status: str, name: str | None) -> BillEntry:
    rest = bill.total_minor - bill.settled_minor if bill.state == BillState.OPEN else 0
    return BillEntry(
        number=bill.number,
        kind=bill.kind,
        account_name=name or "",
        status=status,
        issued_on=bill.issued_on,
        due_on=bill.due_on,
        total_minor=bill.total_minor,
        open_minor=rest,
        currency=bill.currency,
    )


def _is_under_way(session: Session, bill: Bill) -> bool:
    mine = col(PaymentAttempt.bill_id) == bill.id, col(PaymentAttempt.state).in_(_OPEN_ATTEMPTS)
    return session.exec(select(PaymentAttempt.id).where(*mine)).first() is not None


def _payments(session: Session, bill: Bill) -> list[PaymentRow]:
    found = session.exec(select(Payment).where(col(Payment.bill_id) == bill.id).order_by(col(Payment.id)))
    return [PaymentRow(one.id or 0, one.kind, one.amount_minor, one.received_on, one.note) for one in found]


def _notes(session: Session, bill: Bill) -> list[NoteRow]:
    found = session.exec(select(Bill).where(col(Bill.credits_id) == bill.id).order_by(col(Bill.number)))
    return [NoteRow(one.number, one.issued_on, one.total_minor) for one in found]
