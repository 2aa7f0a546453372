"""Mails about restores and exports that have ended (spec 6.7, Recovery notification)."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import queue_all
from portal_app.models import Account, BackupEntity, BackupRun, BackupTask, Job, JobState, Partner
from portal_app.notifications import letters, repository
from portal_app.notifications.failures import NEWS
from portal_app.notifications.letters import NAMES_SHOWN, count
from portal_app.notifications.rows import Reader
from portal_app.notifications.unseen import RECOVERIES

KINDS = {"restore": "Restore", "export": "Export"}
_OUTCOMES = {JobState.DONE: "is done", JobState.FAILED: "failed", JobState.CANCELED: "was canceled"}
Ended = tuple[Job, str, str]


def tell(session: Session) -> int:
    """Look at the next restores and exports that have ended, and queue what is to be told; gives how many they were."""
    claimed = [row.id for row in RECOVERIES.claim(session, Job.id)]
    readers = repository.readers(session, "recovery") if claimed else {}
    groups: dict[int, list[Ended]] = defaultdict(list)
    for job, account, task in _ended(session, claimed) if readers else ():
        if job.partner_id in readers:
            groups[job.partner_id].append((job, account, task))
    for partner_id, ended in groups.items():
        _tell_partner(session, session.get_one(Partner, partner_id), ended, readers[partner_id])
    return len(claimed)


def _ended(session: Session, job_ids: Sequence[int]) -> Sequence[Ended]:
    wanted = (
        select(Job, Account.name, BackupTask.name)
        .join(Account, col(Account.id) == col(Job.account_id))
        .outerjoin(BackupTask, col(BackupTask.id) == col(Job.task_id))
        .where(col(Job.id).in_(job_ids), col(Job.finished_at) > clock.now() - NEWS, col(Account.partner_access))
        .order_by(col(Job.id))
    )
    return [(job, account, task or "a task that was deleted") for job, account, task in session.execute(wanted)]


def _tell_partner(session: Session, partner: Partner, ended: Sequence[Ended], readers: Sequence[Reader]) -> None:
    letter = Letter(
        subject=_subject(ended),
        paragraphs=("What was asked for, by whom, and what came of it:",),
        items=letters.shortened([_item(session, partner, *one) for one in ended]),
        action=("Open Restore and Export", _address(ended[-1][0])),
    )
    queue_all(session, letters.mails(letter, partner, readers, f"recovery:{partner.id}:{ended[-1][0].id}"))
    said = f"Recovery notification to {count(len(readers), 'recipient')}: {letter.subject}"
    record(session, system(partner.id), Activity.NOTIFICATION, said)


def _subject(ended: Sequence[Ended]) -> str:
    if len(ended) == 1:
        job, account, task = ended[0]
        return f"{KINDS[job.kind]} {_OUTCOMES[JobState(job.state)]}: {account}: {task}"
    return f"{count(len(ended), 'restore or export', 'restores and exports')} ended"


def _item(session: Session, partner: Partner, job: Job, account: str, task: str) -> tuple[str, str, str]:
    asked = f"asked for by {job.made_by} at {letters.at(job.created_at, partner)}"
    came = f"{_OUTCOMES[JobState(job.state)]} at {letters.at(job.finished_at, partner)}."
    said = job.fault if job.state == JobState.FAILED else str(job.result.get("words", ""))
    remark = f"{KINDS[job.kind]} of {_what(session, partner, job)}, {asked}, {came} {said}"
    return f"{account}: {task}", _address(job), remark.rstrip()


def _what(session: Session, partner: Partner, job: Job) -> str:
    """Such as "anna@x.example, bert@x.example as of Nov 23, 2026, 3:07 PM"."""
    ids = list(job.payload.get("entities") or ())
    first = select(BackupEntity.name).where(col(BackupEntity.id).in_(ids[:NAMES_SHOWN])).order_by(col(BackupEntity.id))
    found = [*session.scalars(first)]
    rest = f" and {len(ids) - len(found):,} more" if len(ids) > len(found) else ""
    what = ", ".join(found) + rest if found else count(len(ids), "entity", "entities") if ids else "everything"
    run = session.get(BackupRun, job.payload.get("run") or 0)
    return f"{what} as of {letters.at(run.finished_at, partner)}" if run else what


def _address(job: Job) -> str:
    return absolute(f"/accounts/{job.account_id}/restore")
