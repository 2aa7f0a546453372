"""What a subscription of trials would cost, shown before it is confirmed (spec 4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.accounts import repository as accounts
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import books, inputs
from portal_app.billing.calendar import MONTHS, add_months, pieces
from portal_app.billing.pricing import account_lines, totals
from portal_app.billing.profiles import profile_of
from portal_app.errors import Invalid, NotFound
from portal_app.models import TRIALS, Account, Partner, Plan
from portal_app.money import amount_text

AT_ONCE = 500
_PERIODS = {Plan.MONTHLY: "a month", Plan.ANNUAL: "a year"}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the trials among some accounts would cost for a whole period, tax included, with the usage of today."""

    trials: int
    amount_minor: int
    currency: str
    plan: Plan

    @property
    def words(self) -> str:
        """Such as "€75.60 a month, tax included, for 3 accounts with the usage of today."."""
        count = f"{self.trials:,} {'account' if self.trials == 1 else 'accounts'}"
        price = amount_text(self.amount_minor, self.currency)
        return f"{price} {_PERIODS[self.plan]}, tax included, for {count} with the usage of today."


def price_of(session: Session, actor: Actor, account_ids: Sequence[int], plan: str) -> Offer:
    """The price of subscribing those of the accounts that are trials. Denied; NotFound where there are no prices."""
    actor.require(Permission.SUBSCRIBE)
    partner = session.get(Partner, actor.partner_id) if actor.partner_id is not None else None
    if partner is None or plan not in set(Plan):
        raise NotFound("There is nothing to subscribe.") if partner is None else Invalid("Choose Monthly or Annual.")
    today = clock.day_in(partner.time_zone)
    book, terms = books.book_of(session, partner, today), inputs.terms_of(partner, profile_of(session, partner.id or 0))
    period = pieces(today, add_months(today, MONTHS[Plan(plan)]), today, MONTHS[Plan(plan)])
    trials = _trials(session, actor, account_ids)
    usage = inputs.usage_of(session, trials)
    lines = [
        line
        for account_id in trials
        for line in account_lines(account_id, "", usage.get(account_id, ()), book, plan=plan, pieces=period)
    ]
    total = totals(lines, 0 if terms.reverse_charge else book.tax_bp).total_minor
    return Offer(len(trials), total, partner.currency, Plan(plan))


def _trials(session: Session, actor: Actor, account_ids: Sequence[int]) -> list[int]:
    """Those of the accounts that exist for the actor and are trials."""
    found: list[int] = []
    for start in range(0, len(account_ids), AT_ONCE):
        chosen = col(Account.id).in_(account_ids[start : start + AT_ONCE])
        mine = select(col(Account.id)).where(accounts.in_scope(actor), chosen, col(Account.status).in_(TRIALS))
        found += [account_id for account_id in session.scalars(mine) if account_id is not None]
    return found
