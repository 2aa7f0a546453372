"""Mails about entities that a run saw for the first time (spec 6.7, Auto discovery notification)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import queue_all
from portal_app.models import Account, BackupEntity, BackupTask, Partner, Standing, Subscription
from portal_app.notifications import letters, repository
from portal_app.notifications.failures import NEWS
from portal_app.notifications.letters import Thing, count, names
from portal_app.notifications.rows import Reader
from portal_app.notifications.unseen import ENTITIES

_FOUND = (Standing.ACTIVE, Standing.WAITING)


@dataclass(slots=True)
class Found:
    """What was found in one task: names of entities that are backed up from now on, and that wait for a decision."""

    thing: Thing
    partner_id: int
    added: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


def tell(session: Session) -> int:
    """Look at the next entities that nobody has looked at, and queue what is to be told; gives how many they were."""
    of = BackupEntity
    rows = ENTITIES.claim(session, of.id, of.task_id, of.name, of.standing, of.found_at)
    fresh = sorted(row for row in rows if row.standing in _FOUND and row.found_at > clock.now() - NEWS)
    readers = repository.readers(session, "discovery") if fresh else {}
    groups: dict[int, list[Found]] = defaultdict(list)
    for found in _by_task(session, fresh) if readers else ():
        groups[found.partner_id].append(found)
    for partner_id in groups.keys() & readers.keys():
        once = f"discovery:{partner_id}:{fresh[-1].id}"
        _tell_partner(session, session.get_one(Partner, partner_id), groups[partner_id], readers[partner_id], once)
    return len(rows)


def _by_task(session: Session, rows: Sequence) -> list[Found]:
    things = _things(session, {row.task_id for row in rows})
    for row in rows:
        if row.task_id not in things:
            continue
        found, first_listing = things[row.task_id]
        if row.standing == Standing.WAITING:
            found.waiting.append(row.name)
        # What the first listing holds is no discovery: the task was made for it.
        elif first_listing < row.found_at:
            found.added.append(row.name)
    return [found for found, _ in things.values() if found.added or found.waiting]


def _things(session: Session, task_ids: set[int]) -> dict:
    first = (
        select(BackupEntity.found_at)
        # The account is named for the index that begins with it.
        .where(col(BackupEntity.account_id) == col(BackupTask.account_id))
        .where(col(BackupEntity.task_id) == col(BackupTask.id))
        .order_by(col(BackupEntity.id))
        .limit(1)
        .correlate(BackupTask)
        .scalar_subquery()
    )
    wanted = (
        select(BackupTask.id, BackupTask.name, Account.id, Account.name, Account.partner_id, first)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(col(BackupTask.id).in_(task_ids), col(Account.partner_access))
        .order_by(col(Account.name_key), col(BackupTask.id))
    )
    return {
        task_id: (Found(Thing(account_id, account, task_id, task), partner_id), first_listing)
        for task_id, task, account_id, account, partner_id, first_listing in session.execute(wanted)
    }


def _tell_partner(
    session: Session, partner: Partner, found: Sequence[Found], readers: Sequence[Reader], once: str
) -> None:
    seats = _seats(session, {one.thing.account_id for one in found})
    waiting = any(one.waiting for one in found)
    letter = Letter(
        subject=_subject(found),
        paragraphs=(
            "Backups came upon entities that they had not seen before. "
            + ("Open a task to decide about those that wait." if waiting else "There is nothing to do."),
        ),
        items=letters.shortened([(one.thing.name, one.thing.address, _remark(one, seats)) for one in found]),
        action=("Open the dashboard", absolute("/")),
    )
    queue_all(session, letters.mails(letter, partner, readers, once))
    said = f"Auto discovery notification to {count(len(readers), 'recipient')}: {letter.subject}"
    record(session, system(partner.id), Activity.NOTIFICATION, said)


def _subject(found: Sequence[Found]) -> str:
    added, waiting = (sum(len(getattr(one, kind)) for one in found) for kind in ("added", "waiting"))
    parts = (
        f"{count(added, 'new entity', 'new entities')} added to backups" if added else "",
        f"{count(waiting, 'new entity waits', 'new entities wait')} for your decision" if waiting else "",
    )
    return ", ".join(part for part in parts if part)


def _remark(found: Found, seats: dict[int, tuple[int, int | None]]) -> str:
    waits = "waits" if len(found.waiting) == 1 else "wait"
    parts = (
        f"{len(found.added):,} added: {names(found.added)}." if found.added else "",
        f"{len(found.waiting):,} {waits} for a decision: {names(found.waiting)}." if found.waiting else "",
        f"The account has {_billed(*seats[found.thing.account_id])}.",
        "Each that you add is one more." if found.waiting else "",
    )
    return " ".join(part for part in parts if part)


def _billed(seats: int, cap: int | None) -> str:
    billed = count(seats, "billed seat")
    if cap is None:
        return billed
    return f"{billed}, {seats - cap:,} above its cap of {cap:,}" if seats > cap else f"{billed} of its cap of {cap:,}"


def _seats(session: Session, account_ids: set[int]) -> dict[int, tuple[int, int | None]]:
    """Of each account the billed seats, and the cap."""
    wanted = (
        select(BackupTask.account_id, func.sum(BackupTask.billed_entities), func.max(Subscription.seat_cap))
        .outerjoin(Subscription, col(Subscription.account_id) == col(BackupTask.account_id))
        .where(col(BackupTask.account_id).in_(account_ids))
        .group_by(col(BackupTask.account_id))
    )
    return {account_id: (int(billed or 0), cap) for account_id, billed, cap in session.execute(wanted)}
