"""Whose bills are to be made: the partners with days that are not done, and with what came up today (spec 5.2)."""

import logging
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.billing.ledger import Written
from portal_app.errors import PortalError
from portal_app.models import TRIALS, Account, AccountStatus, BillingProfile, Partner, Subscription

Write = Callable[[int, date], Written]
log = logging.getLogger(__name__)


def run(now: datetime, write: Write) -> Iterator[Written | None]:
    """Bring every partner's bills up to its own day, one transaction of `write` at a time; None for one held back.

    A partner whose bills can't be made stops nobody else's. Its day stays open, and the next look tries again.
    """
    for partner_id, today in db.read(due, now):
        through = today - timedelta(days=1)
        while through < today:
            try:
                written = write(partner_id, today)
            except (PortalError, IntegrityError) as fault:
                about = fault.sentence if isinstance(fault, PortalError) else type(fault.orig).__name__
                log.error("The bills of partner %s wait: %s", partner_id, about)
                yield None
                break
            yield written
            through = written.through


def due(session: Session, now: datetime) -> list[tuple[int, date]]:
    """The partners that have something to do at an instant, each with its own day."""
    subscribed = exists().where(col(Account.partner_id) == col(Partner.id), col(Account.status).not_in(TRIALS))
    query = (
        select(Partner.id, Partner.time_zone, BillingProfile.billed_through)
        .outerjoin(BillingProfile, col(BillingProfile.partner_id) == col(Partner.id))
        .where(or_(col(BillingProfile.billed_through).is_not(None), subscribed))
        .order_by(col(Partner.id))
    )
    found = [(partner_id, clock.day_in(zone, now), done) for partner_id, zone, done in session.execute(query)]
    done_today = {partner_id: today for partner_id, today, done in found if done == today}
    fresh = _fresh(session, done_today)
    return [(one, today) for one, today, done in found if done is None or done < today or one in fresh]


def _fresh(session: Session, done: dict[int, date]) -> set[int]:
    """Those of the partners whose day is done that have a matter of an account's own since."""
    if not done:
        return set()
    known = exists().where(col(Subscription.account_id) == col(Account.id))
    begun = select(Account.partner_id).where(col(Account.status) == AccountStatus.ANNUAL, ~known).distinct()
    acting = select(Subscription.partner_id, Subscription.acts_on).where(
        col(Subscription.acts_on) <= max(done.values())
    )
    new = set(session.scalars(begun.where(col(Account.partner_id).in_(done))))
    asked = session.execute(acting.where(col(Subscription.partner_id).in_(done)).distinct())
    return new | {partner_id for partner_id, acts_on in asked if acts_on <= done[partner_id]}
