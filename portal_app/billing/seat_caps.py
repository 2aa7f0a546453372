"""Seat caps: whoever set one is warned before more seats than that are billed."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlmodel import Session, col

from portal_app.accounts.notices import readers_of
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import NewMail, queue_all
from portal_app.models import Account, BackupTask, Subscription

KIND = "seat cap"
Over = tuple[int, str, int, int]


def warn(session: Session, partner_id: int, account_ids: Sequence[int] | None = None) -> None:
    """Mail the partner's administrators about accounts above their cap: each once for a cap and what it is billed by.

    `account_ids`: only these; None for all. Called by the day's work, before bills are made, when a
    cap is set, and when more entities of a task are billed.
    """
    if over := _over(session, partner_id, account_ids):
        _, readers = readers_of(session, {partner_id})
        queue_all(session, (_mail(partner_id, to, one) for to in readers[partner_id] for one in over))


def tell_waiting(session: Session, account: Account, task: BackupTask, cap: int, number: int) -> None:
    """Mail the administrators that new entities of a task wait, because as many seats are billed as the cap allows."""
    _, readers = readers_of(session, {account.partner_id})
    letter = Letter(
        subject=f"{account.name} has reached its seat cap",
        paragraphs=(
            f"The last backup of {task.name} found more than the {cap:,} seats that {account.name}'s cap allows: "
            f"{number:,} new {'entity waits and is' if number == 1 else 'entities wait and are'} not billed.",
            "Add what belongs in the backup, ignore the rest, or raise the cap.",
        ),
        action=("Open the backup task", absolute(f"/accounts/{account.id}/tasks/{task.id}")),
    )
    mails = (NewMail(to, letter, KIND, account.partner_id) for to in readers[account.partner_id])
    queue_all(session, mails)


def _over(session: Session, partner_id: int, account_ids: Sequence[int] | None) -> list[Over]:
    seats = func.sum(BackupTask.billed_entities)
    query = (
        select(Account.id, Account.name, Subscription.seat_cap, seats)
        .join(Subscription, col(Subscription.account_id) == col(Account.id))
        .join(BackupTask, col(BackupTask.account_id) == col(Account.id))
        .where(col(Subscription.partner_id) == partner_id, col(Subscription.seat_cap).is_not(None))
        .group_by(col(Account.id), col(Account.name), col(Subscription.seat_cap))
        .having(seats > col(Subscription.seat_cap))
        .order_by(col(Account.id))
    )
    if account_ids is not None:
        query = query.where(col(Account.id).in_(account_ids))
    return [(row[0], row[1], row[2], int(row[3])) for row in session.execute(query)]


def _mail(partner_id: int, to: str, over: Over) -> NewMail:
    account_id, name, cap, seats = over
    letter = Letter(
        subject=f"{name} has more seats than its cap",
        paragraphs=(
            f"{name} has {seats:,} billed seats; you asked to be told above {cap:,}.",
            "All of them will be on the next bill. Take seats out of the backup, or raise the cap.",
        ),
        action=("Open the account's bills", absolute(f"/billing/accounts/{account_id}")),
    )
    return NewMail(to, letter, KIND, partner_id, f"seats:{account_id}:{cap}:{seats}:{to}"[:200])
