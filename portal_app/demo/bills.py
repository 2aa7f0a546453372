"""A year of a partner's bills, made by the rules of billing, and paid up to where each account's state wants it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlmodel import Session

from portal_app import clock
from portal_app.billing import books, calendar, inputs, issuing, plan, standing
from portal_app.billing.plan import Contract
from portal_app.demo.customers import Made
from portal_app.demo.history import YEAR
from portal_app.models import (
    AccountStatus,
    Bill,
    BillingProfile,
    BillingStatus,
    BillState,
    Partner,
    Payment,
    PaymentKind,
    Plan,
    Subscription,
)

# Monthly bills younger than this stay open where an account is to be overdue: the oldest of them is past due.
UNPAID_DAYS = 75


def make_bills(session: Session, partner: Partner, made: Sequence[Made], now: datetime, **details: Any) -> None:
    """Add the partner's billing profile (`details`), subscriptions, bills and receipts; its accounts owe the rest."""
    today = clock.day_in(partner.time_zone, now)
    # So that who was subscribed in these weeks has not been billed yet, whenever the demo is made.
    payment_day = (today + timedelta(days=2)).day
    profile = BillingProfile(partner_id=partner.id, payment_day=payment_day, billed_through=today, **details)
    session.add(profile)
    subscribed = {one.account.id: one for one in made if not one.plan.is_trial}
    year = _Year(partner, profile, today)
    contracts = {key: year.begun(one) for key, one in subscribed.items()}
    lived = year.run(session, contracts)
    session.add_all(_row(partner, contract) for contract in contracts.values())
    bills = issuing.issue(session, partner, lived, reverse_charge=False)
    chooser = Random(partner.code)  # noqa: S311
    for bill, draft in zip(bills, lived.drafts, strict=True):
        bill.created_at = datetime.combine(bill.issued_on, time(6), UTC)
        state = subscribed[draft.shares[0].account_id].plan.state[2]
        if not _stays_open(bill, state, today):
            session.add(_paid(bill, min(today, bill.issued_on + timedelta(days=chooser.randint(2, 20)))))
    session.flush()
    standing.refresh(session, subscribed, today)


class _Year:
    """The days of a partner on which something is billed, from a year ago until today."""

    def __init__(self, partner: Partner, profile: BillingProfile, today: date) -> None:
        self.partner, self.profile, self.today = partner, profile, today
        self.start = today - timedelta(days=YEAR)

    def begun(self, one: Made) -> Contract:
        """An account's contract as it stood a year ago, or when it was subscribed: what was before is covered."""
        account, billing = one.account, one.plan.state[2]
        on = clock.day_in(self.partner.time_zone, account.subscribed_at)
        contract = Contract(
            account_id=account.id,
            name=account.name,
            email=account.email,
            plan=Plan(account.status),
            started_on=on,
            anchor_on=on,
            covered_until=on,
            # All others have bills of their own, so that each can stand as the demo wants it.
            excluded=account.status == AccountStatus.MONTHLY
            and billing in (BillingStatus.CURRENT, BillingStatus.OVERDUE),
        )
        return replace(contract, covered_until=self._covered(contract, billing))

    def _covered(self, contract: Contract, billing: BillingStatus) -> date:
        if contract.plan == Plan.ANNUAL:
            return self._covered_year(contract, billing)
        if contract.started_on >= self.start:
            return contract.started_on
        if contract.excluded:
            return calendar.mark_after(contract.anchor_on, self.start)
        return calendar.add_months(calendar.effective_date(self.start), 1)

    def _covered_year(self, contract: Contract, billing: BillingStatus) -> date:
        if billing == BillingStatus.NONE:
            # Its first year is free: bills of nothing are not issued.
            return calendar.add_months(contract.anchor_on, 12)
        if contract.started_on >= self.start:
            return contract.started_on
        mark = calendar.mark_after(contract.anchor_on, self.start, 12)
        known = calendar.month_before(contract.anchor_on, mark) <= self.start
        return calendar.mark_after(contract.anchor_on, mark, 12) if known else mark

    def run(self, session: Session, contracts: dict[int, Contract]) -> plan.Outcome:
        """What was billed; the contracts stand after it as they do today."""
        terms = inputs.terms_of(self.partner, self.profile)
        usage = inputs.usage_of(session, list(contracts))
        book = books.book_of(session, self.partner, self.start)
        lived = plan.Outcome((), ())
        on = self.start
        while (on := self._next(on, contracts.values())) <= self.today:
            outcome = plan.day(terms, contracts.values(), usage, book, on)
            lived = replace(lived, drafts=lived.drafts + outcome.drafts, free=lived.free + outcome.free)
            contracts |= {contract.account_id: contract for contract in outcome.contracts}
        return lived

    def _next(self, after: date, contracts: Iterable[Contract]) -> date:
        pays = calendar.payment_date(self.profile.payment_day, after)
        if pays <= after:
            pays = calendar.payment_date(self.profile.payment_day, calendar.effective_date(after))
        acting = (contract.acts_on for contract in contracts)
        return min([pays, *(on for on in acting if on and on > after)])


def _row(partner: Partner, contract: Contract) -> Subscription:
    return Subscription(
        account_id=contract.account_id,
        partner_id=partner.id,
        plan=contract.plan,
        started_on=contract.started_on,
        anchor_on=contract.anchor_on,
        covered_until=contract.covered_until,
        acts_on=contract.acts_on,
        excluded=contract.excluded,
    )


def _stays_open(bill: Bill, state: BillingStatus, today: date) -> bool:
    if state == BillingStatus.OVERDUE:
        return bill.plan == Plan.ANNUAL or bill.issued_on > today - timedelta(days=UNPAID_DAYS)
    return state == BillingStatus.DUE and bill.due_on >= today


def _paid(bill: Bill, on: date) -> Payment:
    at = datetime.combine(on, time(10), UTC)
    bill.state, bill.settled_minor, bill.paid_at = BillState.PAID, bill.total_minor, at
    return Payment(
        bill_id=bill.id,
        partner_id=bill.partner_id,
        kind=PaymentKind.BANK,
        amount_minor=bill.total_minor,
        received_on=on,
        note="Bank transfer",
        created_at=at,
    )
