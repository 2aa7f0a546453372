"""The usage report: what each of the chosen accounts holds, as a CSV in a zip, mailed to who asked for it (spec 8.3).

It is made by a worker, a few hundred accounts at a time: no view of the database stays open for long, and the rows are
never in memory together. Only accounts that the user may see at that time are in it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from portal_app import clock, csv_out, db
from portal_app.accounts.repository import ids_openable
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import sessions
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.rows import Service
from portal_app.errors import Conflict
from portal_app.files import service as files
from portal_app.jobs import queue
from portal_app.jobs.worker import Work
from portal_app.mail import service as mail
from portal_app.mail.letter import Letter
from portal_app.models import Job, Standing, StoredFile
from portal_app.reports import repository
from portal_app.times import moment

KIND = "usage report"
HEADER = ("Account", "Email", "Service", "Entity", "Type", "State", "Licensed", "Size", "Last Backup")
ACCOUNTS_AT_ONCE = 200
_SERVICES = {str(service): service.label for service in Service}
_LICENSED = {True: "licensed", False: "unlicensed", None: ""}


def ask(session: Session, actor: Actor, account_ids: Sequence[int]) -> int:
    """Have the report about these accounts made and mailed to the actor; gives of how many.

    Raises Denied, and Conflict when none is there or the actor's last report is still being made.
    """
    actor.require(Permission.USAGE_EXPORT)
    mine = ids_openable(session, actor, account_ids)
    if not mine or actor.user_id is None:
        raise Conflict("None of the accounts is there any more.")
    payload = {"accounts": mine}
    once = f"{KIND}:{actor.user_id}"
    if queue.add(session, actor, KIND, partner_id=actor.partner_id, payload=payload, open_key=once) is None:
        raise Conflict("Your last usage report is still being made. It comes by mail.")
    record(session, actor, Activity.DATA_EXPORT, f"Usage report of {_accounts(len(mine))}")
    return len(mine)


def run(work: Work) -> dict[str, Any]:
    """Make the report and mail it (a job's handler). Raises Denied when the user may no longer ask for it."""
    with files.new_file() as place:
        lines = csv_out.zip_to(place, "usage-report.csv", HEADER, _lines(work))
        return db.write(_mail, work.job, place, lines)


def _lines(work: Work) -> Iterator[tuple[object, ...]]:
    ids = sorted(work.job.payload["accounts"])
    for start in range(0, len(ids), ACCOUNTS_AT_ONCE):
        work.check()
        work.progress = {"percent": 100 * start // len(ids)}
        with db.reading() as session:
            # Read again each time: rights that were taken away meanwhile count at once.
            actor = _asker(session, work.job)
            yield from map(_line, repository.usage(session, actor, ids[start : start + ACCOUNTS_AT_ONCE]))


def _asker(session: Session, job: Job) -> Actor:
    actor = sessions.person(session, job.made_by_id)
    actor.require(Permission.USAGE_EXPORT)
    return actor


def _line(row: Row[Any]) -> tuple[object, ...]:
    service = _SERVICES.get(row.service, row.service or "")
    if row.entity is None:
        state = "" if row.task is None else Standing.ACTIVE if row.active else Standing.INACTIVE
        holds = (row.task or "", "", state, "", row.task_bytes or 0, _instant(row.last_finished_at))
    else:
        licensed = _LICENSED[row.licensed]
        holds = (row.entity, row.kind, row.standing, licensed, row.entity_bytes, _instant(row.last_backup_at))
    return (row.account, row.email, service, *holds)


def _instant(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


def _mail(session: Session, job: Job, place: Path, lines: int) -> dict[str, Any]:
    actor = _asker(session, job)
    name = f"usage-report-{clock.day_in(actor.time_zone)}.zip"
    file = files.keep(
        session,
        place,
        name=name,
        kind=KIND,
        partner_id=actor.partner_id or 0,
        permission=Permission.USAGE_EXPORT,
        user_id=actor.user_id,
    )
    letter = _letter(actor, file, lines)
    # A worker that died before it could end the job leaves it to another one, who mails nothing again.
    mail.queue(session, actor.email, letter, kind=KIND, partner_id=actor.partner_id, once=f"{KIND}:{job.id}")
    record(session, actor, Activity.NOTIFICATION, f"Usage report mailed to {actor.email}")
    return {"file": file.id, "lines": lines}


def _letter(actor: Actor, file: StoredFile, lines: int) -> Letter:
    attached = files.fits_a_mail(file)
    ends = moment(file.ends_at, actor.time_zone)["text"]
    link = f"It is too large for a mail. Fetch it with the link below until {ends} ({actor.time_zone})."
    return Letter(
        subject=f"Your usage report of {moment(file.made_at, actor.time_zone)['text']}",
        paragraphs=(
            f"Hello {actor.name},",
            f"here is the usage report that you asked for: {lines:,} {'line' if lines == 1 else 'lines'} of what your "
            "customers' accounts hold.",
            "It is attached: a zip with a CSV file." if attached else link,
        ),
        action=None if attached else ("Download the report", files.link_to(file)),
        attachments=((file.name, files.source_of(file)),) if attached else (),
        small=("Sizes are in bytes, times in UTC.",)
        + (() if attached else ("The link asks you to sign in. It works for you only.",)),
    )


def _accounts(count: int) -> str:
    return f"{count:,} {'account' if count == 1 else 'accounts'}"
