"""The end of a customer's account: bills, users, rows and stored data; and how far the deletion of the data is."""

from sqlmodel import Session, col, select

from portal_app.account_settings import letters
from portal_app.account_settings.rows import Removed
from portal_app.accounts import repository, trials
from portal_app.accounts import service as accounts
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.engine.removal import FORGET
from portal_app.billing import closing
from portal_app.errors import Conflict, NotFound
from portal_app.jobs.queue import ENDED
from portal_app.mail.service import NewMail, queue_all
from portal_app.models import Account, DeletedAccount, Job, JobState, Role, User, UserKind, UserState
from portal_app.text import normal_email

NOT_APPROVED = "Tick that you approve the removal first. Nothing was removed."
BEGINS = "The deletion begins in a moment."
NOTHING_STORED = "0 objects left: the portal stored nothing of it."
OTHER_NAME = "The name is not the same. Nothing was removed."


def path_of(account_id: int) -> str:
    """The page that follows the deletion of a removed account's data."""
    return f"/accounts/{account_id}/removed"


def remove(session: Session, actor: Actor, account_id: int, typed_name: str, *, approved: bool) -> None:
    """End the subscription with its last bill, delete the account with all its data, and tell everybody concerned.

    Raises Denied, NotFound, Conflict.
    """
    actor.require(Permission.ACCOUNTS_REMOVE)
    actor.require(Permission.ACCOUNTS_ACCESS)
    account = accounts.get(session, actor, account_id)
    if not approved:
        raise Conflict(NOT_APPROVED)
    if typed_name.strip() != account.name:
        raise Conflict(OTHER_NAME)
    mails = _letters(session, actor, account)
    closing.remove(session, actor, account_id, trials.REMOVED_BY_USER)
    queue_all(session, mails)


def _letters(session: Session, actor: Actor, account: Account) -> list[NewMail]:
    """One for each address: the partner's administrators, the account's own, its users."""
    administers = (col(User.partner_id) == account.partner_id, col(User.role) == Role.ADMINISTRATOR)
    of_customer = (col(User.account_id) == account.id, col(User.kind) == UserKind.CUSTOMER)
    partner = letters.removed_for_partner(account.name, account.email, actor.label, account.id or 0)
    customer = letters.removed_for_customer(account.name, actor.label)
    wanted = {normal_email(to): (to, customer) for to in (account.email, *_active(session, *of_customer))}
    wanted |= {normal_email(to): (to, partner) for to in _active(session, *administers)}
    return [NewMail(to, letter, "account removed", account.partner_id) for to, letter in wanted.values()]


def _active(session: Session, *where: object) -> list[str]:
    return list(session.scalars(select(col(User.email)).where(*where, col(User.state) == UserState.ACTIVE)))


def standing(session: Session, actor: Actor, account_id: int) -> Removed:
    """How far the deletion is, for who sees all accounts of the partner, and for who removed this one."""
    actor.require(Permission.ACCOUNTS_REMOVE)
    gone = repository.find_deleted(session, actor, account_id) or _removed_by(session, actor, account_id)
    if gone is None:
        raise NotFound(accounts.NOT_FOUND)
    return _removed(gone, _jobs(session, account_id))


def _removed_by(session: Session, actor: Actor, account_id: int) -> DeletedAccount | None:
    """Who sees chosen accounts only has chosen none that are gone: but may see what became of one's own act."""
    gone = session.get(DeletedAccount, account_id)
    own = gone is not None and gone.partner_id == actor.partner_id and actor.user_id is not None
    return gone if own and any(job.made_by_id == actor.user_id for job in _jobs(session, account_id)) else None


def _jobs(session: Session, account_id: int) -> list[Job]:
    wanted = select(Job).where(Job.account_id == account_id, Job.kind == FORGET).order_by(col(Job.id))
    return list(session.scalars(wanted))


def _removed(gone: DeletedAccount, jobs: list[Job]) -> Removed:
    """A job that can't reach the storage waits and says why; one that gave up ends with its fault."""
    open_ones = [job for job in jobs if job.state not in ENDED]
    last = (open_ones or jobs or [None])[-1]
    undone = [job for job in jobs if job.state != JobState.DONE or "left" not in job.result]
    return Removed(
        name=gone.name,
        email=gone.email,
        ended=not open_ones,
        percent=int(last.progress.get("percent", 0)) if last and open_ones else 100,
        words=str(last.progress.get("words", "") or BEGINS) if last and open_ones else "",
        fault=next((job.fault for job in reversed(undone) if job.fault), ""),
        proof="" if undone else _proof(jobs),
    )


def _proof(jobs: list[Job]) -> str:
    deleted = sum(int(job.result.get("deleted", 0)) for job in jobs)
    left = sum(int(job.result["left"]) for job in jobs)
    return f"{left:,} objects left in the storage. {deleted:,} were deleted." if jobs else NOTHING_STORED
