"""What Billing > Status reads beside the accounts themselves. The ids it is given are of accounts in scope."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app.billing.rows import SubscriptionRow
from portal_app.models import Subscription

_SUBSCRIPTION = (
    col(Subscription.plan),
    col(Subscription.covered_until),
    col(Subscription.next_plan),
    col(Subscription.ends),
    col(Subscription.seat_cap),
)


def subscriptions_of(session: Session, account_ids: Sequence[int]) -> dict[int, SubscriptionRow]:
    """The subscriptions of these accounts."""
    wanted = select(col(Subscription.account_id), *_SUBSCRIPTION)
    found = session.execute(wanted.where(col(Subscription.account_id).in_(account_ids)))
    return {account_id: SubscriptionRow(*rest) for account_id, *rest in found}
