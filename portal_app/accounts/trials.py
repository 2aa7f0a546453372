"""The trial rules (spec 4.4): what is due for a trial at an instant, and the writer that brings it there.

`decide` is the whole of the rules and touches nothing. `advance` applies it to locked rows, so that a user's
Subscribe at the same moment wins or loses cleanly.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select, update

from portal_app import clock
from portal_app.accounts import notices
from portal_app.accounts.notices import GRACE, Notice
from portal_app.audit import service as audit
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, system
from portal_app.backups.engine import removal
from portal_app.errors import Conflict, NotFound
from portal_app.files import service as files
from portal_app.models import TRIALS, Account, AccountStatus, DeletedAccount, TrialNotice
from portal_app.webhooks.emitting import emit, emit_each, of_account
from portal_app.webhooks.events import Event

TRIAL = timedelta(days=14)
EXPIRING = timedelta(days=5)
LAST_DAY = timedelta(days=1)
WARNING = timedelta(days=1)
RETRY = timedelta(hours=1)
BATCH = 200

TRIAL_ENDED = "trial ended"
DELETED_BY_USER = "deleted by a user"
REMOVED_BY_USER = "removed by a user"

Made = dict[tuple[int | None, str], datetime]
log = logging.getLogger(__name__)
_PLANS = {AccountStatus.MONTHLY: "Monthly", AccountStatus.ANNUAL: "Annual"}


@dataclass(frozen=True, slots=True)
class Step:
    """Where a trial stands: its status (None: it is to be deleted), the notice of this stretch, the next instant."""

    status: AccountStatus | None
    notice: Notice | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What one or more batches of the daily work did, in accounts, notices and bills; `held` are partners unbilled."""

    seen: int = 0
    expiring: int = 0
    expired: int = 0
    subscribed: int = 0
    deleted: int = 0
    notices: int = 0
    refused: int = 0
    bills: int = 0
    billed: int = 0
    held: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    def as_dict(self) -> dict[str, int]:
        """The counts by name, to be kept as JSON."""
        return asdict(self)


def new_trial(created_at: datetime, _auto_subscribe: str | None = None) -> tuple[datetime, datetime]:
    """When a trial that begins at `created_at` ends, and when the rules act on it first.

    Both are the same for every kind of trial today; callers say which kind it is all the same.
    """
    ends_at = created_at + TRIAL
    return ends_at, ends_at - EXPIRING


def decide(ends_at: datetime, auto_subscribe: str | None, warned_at: datetime | None, at: datetime) -> Step:
    """Where a trial stands at an instant, however long nobody looked.

    `warned_at` is when the notice before deletion was made: without a day's warning nothing is deleted.
    """
    if at < ends_at:
        return _running(ends_at, at)
    if auto_subscribe:
        return Step(AccountStatus(auto_subscribe), Notice.SUBSCRIBED, None)
    return _ended(ends_at, warned_at, at)


def _running(ends_at: datetime, at: datetime) -> Step:
    if at < ends_at - EXPIRING:
        return Step(AccountStatus.TRIAL_STARTED, None, ends_at - EXPIRING)
    if at < ends_at - LAST_DAY:
        return Step(AccountStatus.TRIAL_EXPIRING, Notice.FIVE_DAYS, ends_at - LAST_DAY)
    return Step(AccountStatus.TRIAL_EXPIRING, Notice.ONE_DAY, ends_at)


def _ended(ends_at: datetime, warned_at: datetime | None, at: datetime) -> Step:
    warn_at = ends_at + GRACE - WARNING
    if at < warn_at:
        return Step(AccountStatus.TRIAL_EXPIRED, Notice.ENDED, warn_at)
    delete_at = max(ends_at + GRACE, (warned_at or at) + WARNING)
    if at < delete_at:
        return Step(AccountStatus.TRIAL_EXPIRED, Notice.DELETION, delete_at)
    return Step(None, None, None)


def subscribe_values(plan: str, at: datetime) -> dict[str, Any]:
    """The columns that make a trial a subscription from `at` on. `plan`: monthly or annual."""
    return {"status": AccountStatus(plan), "subscribed_at": at, "next_step_at": None}


def lock_trial(session: Session, account_id: int) -> Account:
    """One trial, locked. NotFound when it is gone, Conflict when it is subscribed; the scope is the caller's."""
    account = session.get(Account, account_id, populate_existing=True, with_for_update=True)
    if account is None:
        raise NotFound("This account doesn't exist any more.")
    if account.status not in TRIALS:
        raise Conflict("This account is subscribed already.")
    return account


def subscribe_each(session: Session, actor: Actor, account_ids: Sequence[int], plan: str, at: datetime) -> int:
    """Make those of the accounts that are still trials subscriptions, and audit each; gives how many.

    The caller has found the ids in the actor's scope, and hands in at most some thousands at a time. All locks come
    before the first change, in the order of the ids: the sweep does the same, so the two never wait for each other in
    a ring. Whole statements, whose time is the database's: other people's events run meanwhile.
    """
    trials = select(Account.id, Account.name).where(col(Account.id).in_(account_ids), col(Account.status).in_(TRIALS))
    locked = session.exec(trials.order_by(col(Account.id)).with_for_update()).all()
    chosen = col(Account.id).in_([account_id for account_id, _ in locked])
    session.execute(update(Account).where(chosen).values(subscribe_values(plan, at)))
    audit.record_each(session, actor, Activity.SUBSCRIBED, _about(plan), locked)
    if actor.partner_id is not None:
        told = [(number, {"id": number, "name": name, "status": plan}) for number, name in locked]
        emit_each(session, actor.partner_id, Event.ACCOUNT_SUBSCRIBED, told)
    return len(locked)


def subscribe_account(session: Session, actor: Actor, account: Account, plan: str, at: datetime) -> None:
    """Make a locked trial a subscription from `at` on, and audit it."""
    for name, value in subscribe_values(plan, at).items():
        setattr(account, name, value)
    session.add(account)
    audit.record(
        session,
        actor,
        Activity.SUBSCRIBED,
        _about(plan),
        account=(account.id, account.name),
        partner_id=account.partner_id,
    )
    emit(session, account.partner_id, Event.ACCOUNT_SUBSCRIBED, of_account(account), account.id)


def _about(plan: str) -> str:
    return f"{_PLANS[AccountStatus(plan)]} subscription"


def delete_account(
    session: Session,
    actor: Actor,
    account: Account,
    reason: str,
    at: datetime | None = None,
    *,
    activity: Activity = Activity.TRIAL_CANCELED,
) -> None:
    """Delete a locked account with all that hangs on it, also in the storage; a tombstone and an audit row stay.

    The one place where an account's rows go, so that none goes without its data. `reason` (at most 40 characters) is
    TRIAL_ENDED, DELETED_BY_USER or REMOVED_BY_USER; `at` is now unless the rules say otherwise. Raises Conflict when
    the row is gone already, and when days may be unbilled: `billing.closing` comes first then.
    """
    if account.status not in TRIALS:
        raise Conflict("This account is subscribed. Its subscription has to end before it can be deleted.")
    removal.forget_account(session, actor, account)
    files.end_all_of(session, account.id or 0)
    gone = session.exec(delete(Account).where(col(Account.id) == account.id))
    if gone.rowcount != 1:
        raise Conflict("This account doesn't exist any more.")
    session.add(_tombstone(account, reason, at or clock.now()))
    audit.record(
        session,
        actor,
        activity,
        reason.capitalize(),
        account=(account.id, account.name),
        partner_id=account.partner_id,
    )
    emit(session, account.partner_id, Event.ACCOUNT_REMOVED, of_account(account), account.id)


def _tombstone(account: Account, reason: str, at: datetime) -> DeletedAccount:
    return DeletedAccount(
        account_id=account.id,
        partner_id=account.partner_id,
        name=account.name,
        email=account.email,
        created_at=account.created_at,
        deleted_at=at,
        reason=reason,
    )


def is_due(session: Session, as_of: datetime) -> bool:
    """Whether anything is due: one look into an index."""
    due = select(Account.id).where(col(Account.next_step_at) <= as_of)
    # Without the order, PostgreSQL may expect to meet a due row soon, and read the whole table when there is none.
    return session.exec(due.order_by(col(Account.next_step_at)).limit(1)).first() is not None


def advance(session: Session, as_of: datetime, limit: int = BATCH, now: datetime | None = None) -> Counts:
    """Bring at most `limit` accounts that are due at `as_of` to where they belong.

    Whoever catches up with missed days passes `now`: the accounts go straight to their state of now, and
    no notice is made of a moment that has passed. Nothing was due when `seen` is 0.
    """
    at = max(as_of, now or as_of)
    accounts = _due(session, as_of, limit)
    by_id = {account.id: account for account in accounts}
    made = _notices(session, by_id)
    done = _apply_all(session, accounts, made, at)
    if done.notices:
        # Read back, because a row that was refused took its notice with it.
        fresh = _notices(session, by_id).keys() - made.keys()
        notices.tell(session, ((Notice(kind), by_id[account_id]) for account_id, kind in sorted(fresh)))
    return done


def _apply_all(session: Session, accounts: list[Account], made: Made, at: datetime) -> Counts:
    try:
        with session.begin_nested():
            return sum((_apply(session, account, made, at) for account in accounts), Counts())
    except IntegrityError:
        # A row that the database refuses to change or delete must not stop everybody else's trials.
        return sum((_apply_alone(session, account, made, at) for account in accounts), Counts())


def _due(session: Session, as_of: datetime, limit: int) -> list[Account]:
    found = session.exec(
        select(Account)
        .where(col(Account.next_step_at) <= as_of)
        .order_by(col(Account.next_step_at), col(Account.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    # The triggers lock rows of the partner: two sweeps that visit partners in one order never wait in a ring.
    return sorted(found, key=lambda account: (account.partner_id, account.id))


def _notices(session: Session, account_ids: Iterable[int | None]) -> Made:
    ids = list(account_ids)
    found = session.exec(select(TrialNotice).where(col(TrialNotice.account_id).in_(ids))).all() if ids else []
    return {(notice.account_id, notice.kind): notice.made_at for notice in found}


def _apply_alone(session: Session, account: Account, made: Made, at: datetime) -> Counts:
    account_id = account.id
    try:
        with session.begin_nested():
            return _apply(session, account, made, at)
    except IntegrityError as fault:
        log.error("The trial rules can't act on account %s: %s", account_id, type(fault.orig).__name__)
        session.exec(update(Account).where(col(Account.id) == account_id).values(next_step_at=at + RETRY))
        return Counts(seen=1, refused=1)


def _apply(session: Session, account: Account, made: Made, at: datetime) -> Counts:
    ends_at = account.trial_ends_at or account.created_at + TRIAL
    step = decide(ends_at, account.auto_subscribe, made.get((account.id, Notice.DELETION)), at)
    if step.status is None:
        delete_account(session, system(account.partner_id), account, TRIAL_ENDED, at)
        return Counts(seen=1, deleted=1)
    moved = step.status != account.status
    noticed = step.notice is not None and (account.id, step.notice) not in made
    if noticed:
        session.add(_notice(account, step.notice, at))
    if step.next_at is None:
        subscribe_account(session, system(account.partner_id), account, step.status, ends_at)
        return Counts(seen=1, subscribed=1, notices=int(noticed))
    account.status, account.next_step_at = step.status, step.next_at
    return Counts(
        seen=1,
        expiring=int(moved and step.status == AccountStatus.TRIAL_EXPIRING),
        expired=int(moved and step.status == AccountStatus.TRIAL_EXPIRED),
        notices=int(noticed),
    )


def _notice(account: Account, kind: Notice, at: datetime) -> TrialNotice:
    return TrialNotice(
        account_id=account.id,
        kind=kind,
        partner_id=account.partner_id,
        account_name=account.name,
        made_at=at,
    )
