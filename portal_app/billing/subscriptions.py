"""What a partner may change about a subscription: its plan, its end, its seat cap (spec 5.2). All of it is audited.

A change takes effect where the days end that are covered or running (`plan.Contract.period_end`); the cycle makes it.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.accounts import repository
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import inputs, seat_caps
from portal_app.billing import standing as balances
from portal_app.billing.profiles import profile_to_change
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import TRIALS, Account, BackupTask, Partner, Plan, Subscription
from portal_app.settings import settings

NOT_FOUND = "There is no such account."
NOT_SUBSCRIBED = "This account is not subscribed."
ASK_THE_PROVIDER = "Ask your provider to change the plan of a subscription."
MOST_SEATS = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription as its page shows it. `changes_on` is when `next_plan` or the end takes effect."""

    plan: str
    renews_on: date
    next_plan: str | None
    ends: bool
    changes_on: date | None
    seat_cap: int | None
    seats: int
    may_change_plan: bool


def standing(session: Session, actor: Actor, account_id: int) -> Standing | None:
    """How an account of the actor's is subscribed; None for a trial. Raises Denied, NotFound."""
    actor.require(Permission.BILLING_VIEW)
    account = _account(session, actor, account_id)
    if account.status in TRIALS:
        return None
    today = clock.day_in(actor.time_zone)
    row = session.get(Subscription, account_id)
    contract = (
        inputs.contract_of(row, account.name, account.email)
        if row
        else inputs.begun(account_id, account.name, account.email, account.status, _begun_on(account, actor))
    )
    end = contract.period_end(today)
    return Standing(
        plan=contract.plan,
        renews_on=end,
        next_plan=contract.next_plan,
        ends=contract.ends,
        changes_on=end if contract.changes else None,
        seat_cap=row.seat_cap if row else None,
        seats=seats_of(session, account_id),
        may_change_plan=settings().plan_changes,
    )


def seats_of(session: Session, account_id: int) -> int:
    """The entities of the account's tasks that are billed."""
    summed = select(func.coalesce(func.sum(BackupTask.billed_entities), 0))
    return int(session.scalar(summed.where(col(BackupTask.account_id) == account_id)) or 0)


def change_plan(session: Session, actor: Actor, account_id: int, plan: str) -> date:
    """Go on as `plan` (monthly or annual) after the period; gives the day. Raises Denied, NotFound, Conflict."""
    if not settings().plan_changes:
        raise Denied(ASK_THE_PROVIDER)
    account, row = _to_change(session, actor, account_id)
    if plan not in set(Plan):
        raise Conflict("Choose Monthly or Annual.")
    if plan == row.plan:
        raise Conflict(f"This subscription is {plan} already.")
    row.next_plan, row.ends = Plan(plan), False
    return _changed(session, actor, account, row, f"{plan.capitalize()} from {{day}}")


def cancel(session: Session, actor: Actor, account_id: int) -> date:
    """End the subscription after the period; gives the day. The account is an expired trial from then on."""
    account, row = _to_change(session, actor, account_id)
    row.next_plan, row.ends = None, True
    return _changed(session, actor, account, row, "Ends on {day}")


def undo(session: Session, actor: Actor, account_id: int) -> None:
    """Let the subscription go on as it is: no change of plan, no end. Conflict where there is nothing to undo."""
    account, row = _to_change(session, actor, account_id)
    if not (row.ends or row.next_plan):
        raise Conflict("There is nothing to undo: the subscription goes on as it is.")
    row.next_plan, row.ends = None, False
    _changed(session, actor, account, row, "Goes on as it is")


def set_seat_cap(session: Session, actor: Actor, account_id: int, cap: int | None) -> None:
    """Be warned when the account has more seats than this; None for no cap. Raises Invalid (`cap`)."""
    account, row = _to_change(session, actor, account_id)
    if cap is not None and not 1 <= cap <= MOST_SEATS:
        raise Invalid(cap=f"Give a number of seats from 1 to {MOST_SEATS:,}, or leave it empty for no cap.")
    row.seat_cap = cap
    said = f"Seat cap {cap:,}" if cap else "No seat cap"
    record(session, actor, Activity.SUBSCRIBED, said, account=(account.id, account.name))
    seat_caps.warn(session, account.partner_id, [account_id])


def _account(session: Session, actor: Actor, account_id: int) -> Account:
    found = repository.find_account(session, actor, account_id)
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def _begun_on(account: Account, actor: Actor) -> date:
    return clock.day_in(actor.time_zone, account.subscribed_at)


def _to_change(session: Session, actor: Actor, account_id: int) -> tuple[Account, Subscription]:
    """The account and its subscription, under the lock that the day's work takes too."""
    actor.require(Permission.SUBSCRIBE)
    account = _account(session, actor, account_id)
    profile_to_change(session, account.partner_id)
    session.refresh(account)
    if account.status in TRIALS:
        raise Conflict(NOT_SUBSCRIBED)
    balances.refresh(session, inputs.adopt(session, session.get_one(Partner, account.partner_id)))
    return account, session.get_one(Subscription, account_id, with_for_update=True, populate_existing=True)


def _changed(session: Session, actor: Actor, account: Account, row: Subscription, said: str) -> date:
    contract = inputs.contract_of(row, account.name, account.email)
    row.acts_on = contract.acts_on
    session.add(row)
    day = contract.period_end(clock.day_in(actor.time_zone))
    record(session, actor, Activity.SUBSCRIBED, said.format(day=day), account=(account.id, account.name))
    return day
