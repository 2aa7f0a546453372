"""An account that goes at once: the days that no bill covers yet are billed in the transaction that deletes it."""

from datetime import datetime

from sqlmodel import Session

from portal_app import clock
from portal_app.accounts import repository, trials
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.billing import books, inputs, issuing, ledger, mailing, plan
from portal_app.billing.profiles import profile_to_change
from portal_app.errors import NotFound
from portal_app.models import TRIALS, Account, Partner, Subscription

NO_ACCOUNT = "There is no such account."


def remove(session: Session, actor: Actor, account_id: int, reason: str) -> None:
    """Delete an account of the actor's, subscribed or not; its bills stay. The right to do so is the caller's matter.

    `reason`: see `trials.delete_account`. Its last bill covers the day of the deletion, too; days that are paid ahead
    are not given back. Raises NotFound, also where there are no prices for the last days.
    """
    found = repository.find_account(session, actor, account_id)
    if found is None:
        raise NotFound(NO_ACCOUNT)
    # The profile before the account, as the day's work does.
    profile_to_change(session, found.partner_id)
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        # Somebody else removed it while the profile was waited for.
        raise NotFound(NO_ACCOUNT)
    if account.status not in TRIALS:
        _end_subscription(session, account, clock.now())
    trials.delete_account(session, actor, account, reason, activity=Activity.ACCOUNT_REMOVED)


def _end_subscription(session: Session, account: Account, at: datetime) -> None:
    partner = session.get_one(Partner, account.partner_id)
    inputs.adopt(session, partner)
    row = session.get_one(Subscription, account.id, populate_existing=True)
    _bill_last_days(session, partner, inputs.contract_of(row, account.name, account.email), at)
    ledger.expire(session, account, row, at)


def _bill_last_days(session: Session, partner: Partner, contract: plan.Contract, at: datetime) -> None:
    terms = inputs.terms_of(partner, profile_to_change(session, partner.id or 0))
    on, usage = clock.day_in(partner.time_zone, at), inputs.usage_of(session, [contract.account_id])
    outcome = plan.last_days(terms, contract, usage, books.book_of(session, partner, on), on)
    for bill in issuing.issue(session, partner, outcome, reverse_charge=terms.reverse_charge):
        mailing.announce(session, bill.id or 0)
