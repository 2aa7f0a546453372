"""What Billing > Status reads beside the accounts themselves. The ids it is given are of accounts in scope."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session, col

from portal_app.billing import inputs
from portal_app.billing.rows import SubscriptionRow
from portal_app.models import Subscription


def subscriptions_of(session: Session, account_ids: Sequence[int], today: date) -> dict[int, SubscriptionRow]:
    """The subscriptions of these accounts."""
    found = inputs.contracts(session, col(Subscription.account_id).in_(account_ids))
    return {
        row.account_id: SubscriptionRow(contract.period_end(today), row.next_plan, row.ends) for row, contract in found
    }
