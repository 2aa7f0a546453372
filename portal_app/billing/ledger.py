"""Writes what a partner's days bill (spec 5.2): bills, what they cover, how the subscriptions stand after it.

All of a day is one transaction under the lock of the partner's profile, together with `billed_through`: whatever dies
or runs twice, a day is written once and whole. `plan` decides; here is no rule of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.billing import books, inputs, issuing, mailing, plan, seat_caps, standing
from portal_app.billing.calendar import days_due, payment_date
from portal_app.billing.profiles import profile_to_change
from portal_app.models import (
    TRIALS,
    Account,
    AccountStatus,
    Bill,
    BillingProfile,
    BillingStatus,
    BillShare,
    BillState,
    Partner,
    Subscription,
    TrialNotice,
)

# Days without a bill that one transaction goes through at most.
IDLE_DAYS = 31
# What a day may change of a subscription.
_TURNS = ("plan", "next_plan", "anchor_on", "covered_until", "acts_on")


@dataclass(frozen=True, slots=True)
class Written:
    """What one transaction did: the partner's last day that is done now, bills and billed accounts."""

    through: date
    bills: int = 0
    accounts: int = 0


def advance(session: Session, partner_id: int, today: date) -> Written:
    """Do the partner's open days in order, up to today or to the first one that billed something.

    Of today, too, what has come up since it was done: an annual subscription is billed at once. Raises NotFound
    where there are no prices: the day stays open.
    """
    profile = profile_to_change(session, partner_id)
    ledger = _Ledger(session, session.get_one(Partner, partner_id), profile)
    if profile.billed_through is not None and profile.billed_through >= today:
        return Written(profile.billed_through, *ledger.write(profile.billed_through, again=True))
    done = profile.billed_through or _before_first(session, ledger.partner, today)
    written = Written(done)
    for on in days_due(done, min(today, done + timedelta(days=IDLE_DAYS))):
        written = Written(on, *ledger.write(on))
        profile.billed_through = on
        if written.bills:
            break
    return written


def expire(session: Session, account: Account, row: Subscription, at: datetime) -> None:
    """Make a locked account whose days are all billed an expired trial."""
    expired = {"status": AccountStatus.TRIAL_EXPIRED, "subscribed_at": None, "auto_subscribe": None}
    for name, value in (expired | {"trial_ends_at": at, "next_step_at": at}).items():
        setattr(account, name, value)
    session.delete(row)
    session.flush()


def _before_first(session: Session, partner: Partner, today: date) -> date:
    return min(inputs.first_day(session, partner) or today, today) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Ledger:
    """A partner's part of the ledger, open to be written."""

    session: Session
    partner: Partner
    profile: BillingProfile

    def write(self, on: date, *, again: bool = False) -> tuple[int, int]:
        """A day's bills, and what follows from the day itself. Gives the number of bills and of billed accounts.

        `again`: the day was done before, and its payment with it.
        """
        # Whoever was subscribed before may still owe for that time.
        begun = inputs.adopt(self.session, self.partner, on)
        seat_caps.warn(self.session, self.profile.partner_id)
        pays = not again and on == payment_date(self.profile.payment_day, on)
        outcome = self._bill(on, pays=pays)
        billed = {share.account_id for draft in outcome.drafts for share in draft.shares}
        standing.refresh(self.session, billed | begun | {*outcome.ended} | self._late(on), on)
        return len(outcome.drafts), len(billed)

    def _bill(self, on: date, *, pays: bool) -> plan.Outcome:
        due = inputs.due(self.profile.partner_id, on, payment_day=pays)
        rows = inputs.contracts(self.session, due, lock=True)
        if not rows:
            return plan.Outcome((), ())
        terms = inputs.terms_of(self.partner, self.profile)
        book = books.book_of(self.session, self.partner, on)
        usage = inputs.usage_of(self.session, [contract.account_id for _, contract in rows])
        decide = plan.day if pays else plan.matters
        outcome = decide(terms, [contract for _, contract in rows], usage, book, on)
        for bill in issuing.issue(self.session, self.partner, outcome, reverse_charge=terms.reverse_charge):
            mailing.announce(self.session, bill.id or 0)
        kept = {row.account_id: row for row, _ in rows}
        self._turn(kept, outcome.contracts, on)
        self._end([kept[account_id] for account_id in outcome.ended], on)
        return outcome

    def _turn(self, kept: Mapping[int, Subscription], contracts: Iterable[plan.Contract], on: date) -> None:
        """How the subscriptions stand after the day."""
        for contract in contracts:
            row = kept[contract.account_id]
            if row.plan != contract.plan:
                self._change_plan(contract)
            for name in _TURNS:
                # To set what is as it was costs as much as what is new, for each of many thousand accounts.
                if getattr(row, name) != (value := getattr(contract, name)):
                    setattr(row, name, value)

    def _change_plan(self, contract: plan.Contract) -> None:
        chosen = update(Account).where(col(Account.id) == contract.account_id)
        self.session.execute(chosen.values(status=AccountStatus(contract.plan)))
        self._record(f"{contract.plan.capitalize()} subscription begins", (contract.account_id, contract.name))

    def _end(self, ended: Iterable[Subscription], on: date) -> None:
        """A subscription that ended leaves an expired trial, which the trial rules delete after their days of grace."""
        at = datetime.combine(on, time(), ZoneInfo(self.partner.time_zone))
        for row in ended:
            account = self.session.get_one(Account, row.account_id, with_for_update=True)
            expire(self.session, account, row, at)
            # What the account's first trial was told must not keep this one's notices back.
            self.session.execute(delete(TrialNotice).where(col(TrialNotice.account_id) == row.account_id))
            self._record("The subscription has ended", (row.account_id, account.name))

    def _record(self, description: str, account: tuple[int, str]) -> None:
        actor = system(self.profile.partner_id)
        record(self.session, actor, Activity.SUBSCRIBED, description, account=account)

    def _late(self, on: date) -> set[int]:
        """The accounts that a due date has made overdue since somebody looked."""
        late = (
            select(BillShare.account_id)
            .join(Bill, col(Bill.id) == col(BillShare.bill_id))
            .join(Account, col(Account.id) == col(BillShare.account_id))
            .where(col(Bill.partner_id) == self.profile.partner_id, col(Bill.state) == BillState.OPEN)
            .where(col(Bill.due_on) < on, col(Account.billing_status) != BillingStatus.OVERDUE)
            .where(col(Account.status).not_in(TRIALS))
        )
        return set(self.session.scalars(late))
