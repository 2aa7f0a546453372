"""What the next bills will be if the usage stays as it is: the cycle's own code, asked ahead."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from datetime import date, timedelta
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import clock, db, live
from portal_app.accounts import repository
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import books, inputs, plan
from portal_app.billing.plan import Forecast
from portal_app.billing.profiles import profile_of
from portal_app.errors import NotFound
from portal_app.models import Account, Partner

Forecasts = Mapping[int, Forecast]
PARTNERS_KEPT = 64


def forecast_of(session: Session, actor: Actor) -> Forecasts:
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


def of_partner(session: Session, partner: Partner) -> Forecasts:
    """The same of all its accounts, for the portal itself. Kept while nothing changed that it is made of."""
    today, shelf = clock.day_in(partner.time_zone), books.Shelf(session, partner)
    if not db.is_reading(session):
        # It may see what is never committed.
        return _made(session, partner, shelf, today)
    # The number first: what is read after it may be newer than it says, and is then made anew, but never older.
    made_of = live.number_of(session, partner.id or 0), today, partner.time_zone, shelf.made_of
    store = _stores.setdefault(db.engine(), _Store())
    return store.get(partner.id or 0, made_of, lambda: _made(session, partner, shelf, today))


def _made(session: Session, partner: Partner, shelf: books.Shelf, today: date) -> Forecasts:
    profile = profile_of(session, partner.id or 0)
    contracts = inputs.contracts_of(session, profile.partner_id) + inputs.not_adopted(session, partner)
    usage = inputs.usage_of(session, [contract.account_id for contract in contracts])
    done = min(profile.billed_through or today - timedelta(days=1), today)
    try:
        return plan.forecast(inputs.terms_of(partner, profile), contracts, usage, shelf.on, done)
    except NotFound:
        return {}


class _Store:
    """The last forecast of each partner; who asks for one that is being made waits for it."""

    def __init__(self) -> None:
        self._found: OrderedDict[int, tuple[Hashable, Forecasts]] = OrderedDict()
        self._locks: dict[int, Lock] = {}

    def get(self, partner_id: int, made_of: Hashable, make: Callable[[], Forecasts]) -> Forecasts:
        with self._locks.setdefault(partner_id, Lock()):
            known = self._found.pop(partner_id, None)
            if known is None or known[0] != made_of:
                known = (made_of, make())
            self._found[partner_id] = known
        while len(self._found) > PARTNERS_KEPT:
            self._found.popitem(last=False)
        return known[1]


_stores: WeakKeyDictionary[object, _Store] = WeakKeyDictionary()
