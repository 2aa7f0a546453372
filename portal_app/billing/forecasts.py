"""What the next bills will be if the usage stays as it is: the cycle's own code, asked ahead."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.accounts import repository
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import books, inputs, plan
from portal_app.billing.plan import Forecast
from portal_app.billing.profiles import profile_of
from portal_app.errors import NotFound
from portal_app.models import Account, Partner, Subscription


def forecast_of(session: Session, actor: Actor) -> dict[int, Forecast]:
    """Of each account of the actor's that will be billed: how much, and when. Empty while there are no prices.

    Computed over all of the partner's accounts, whose shared bills they are; the actor gets their own part.
    """
    actor.require(Permission.BILLING_VIEW)
    partner = session.get(Partner, actor.partner_id) if actor.partner_id else None
    if partner is None:
        return {}
    found = of_partner(session, partner)
    if actor.all_accounts:
        return found
    mine = set(session.scalars(select(col(Account.id)).where(repository.in_scope(actor))))
    return {account_id: one for account_id, one in found.items() if account_id in mine}


def of_partner(session: Session, partner: Partner) -> dict[int, Forecast]:
    """The same of all its accounts, for the portal itself."""
    profile = profile_of(session, partner.id or 0)
    contracts = [contract for _, contract in inputs.contracts(session, col(Subscription.partner_id) == partner.id)]
    contracts += inputs.not_adopted(session, partner)
    usage = inputs.usage_of(session, [contract.account_id for contract in contracts])
    today = clock.day_in(partner.time_zone)
    done = min(profile.billed_through or today - timedelta(days=1), today)
    terms = inputs.terms_of(partner, profile)
    try:
        return plan.forecast(terms, contracts, usage, lambda on: books.book_of(session, partner, on), done)
    except NotFound:
        return {}
