"""The summary report: how a partner's backups went in the last day, week or month (spec 6.7).

The file is written from a view of the database, before the transaction that moves the partner's mark and queues the
mails: two that are at it at once write two files, but only one of them finds the mark where it was.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select, update
from sqlmodel import Session, col

from portal_app import clock, csv_out, db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from portal_app.backups.rows import Service
from portal_app.files import service as files
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.service import queue_all
from portal_app.models import (
    Account,
    BackupRun,
    BackupTask,
    DetailForm,
    Every,
    NotificationSettings,
    Outcome,
    Partner,
    StoredFile,
)
from portal_app.notifications import letters, repository
from portal_app.notifications.letters import SHOWN, Item, Thing, count
from portal_app.notifications.periods import Period, last_end

HEADER = ("Account", "Email", "Service", "Task", "Status", "Last Backup", "Entities", "Failed", "Size", "Message")
ROWS_AT_ONCE = 500
# A run that is reported later than this after its end is in no summary.
LATE = timedelta(days=30)
NO_BACKUP, NOT_DUE = "No backup", "Not due"
STATUSES = {Outcome.FAILED: "Failed", Outcome.PARTIAL: "Partially failed", Outcome.SUCCESSFUL: "Successful"}
# What needs somebody comes first.
_EXCEPTIONS = (STATUSES[Outcome.FAILED], NO_BACKUP, STATUSES[Outcome.PARTIAL])
_COUNTED = {status: status.lower() for status in STATUSES.values()} | {NO_BACKUP: "without a backup"}
_DAYS = {Every.DAILY: 1, Every.THREE_DAYS: 3, Every.WEEKLY: 7}
_GRACE = timedelta(hours=12)
_SERVICES = {str(service): service.label for service in Service}
_PERIODS = {"daily": "the last day", "weekly": "the last week", "monthly": "the last month"}


@dataclass(slots=True)
class Findings:
    """What a summary counts while its file is written: tasks by status, and of each status the first items."""

    counts: Counter[str] = field(default_factory=Counter)
    items: dict[str, list[Item]] = field(default_factory=dict)

    def add(self, status: str, item: Item) -> None:
        self.counts[status] += 1
        kept = self.items.setdefault(status, [])
        if len(kept) < SHOWN:
            kept.append(item)


def tell_due() -> int:
    """Send the summaries of all periods that are over; gives how many partners had one."""
    return sum(_tell(partner, kept) for partner, kept in db.read(_due))


def _due(session: Session) -> list[tuple[Partner, NotificationSettings | None]]:
    ids = repository.readers(session, "summary").keys()
    found = session.execute(
        select(Partner, NotificationSettings)
        .outerjoin(NotificationSettings, col(NotificationSettings.partner_id) == col(Partner.id))
        .where(col(Partner.id).in_(ids))
        .order_by(col(Partner.id))
    )
    return [(partner, kept) for partner, kept in found if _is_due(partner, kept)]


def _is_due(partner: Partner, kept: NotificationSettings | None) -> bool:
    return kept is None or kept.summarised_until is None or kept.summarised_until < _end(partner, kept)


def _end(partner: Partner, kept: NotificationSettings | None) -> datetime:
    frequency = repository.general(kept).frequency
    return last_end(frequency, partner.time_zone, clock.now())


def _tell(partner: Partner, kept: NotificationSettings | None) -> bool:
    end = _end(partner, kept)
    if kept is None or kept.summarised_until is None:
        db.write(_begin, partner.id, end)
        return False
    period, findings = Period(partner, kept, kept.summarised_until, end), Findings()
    with files.new_file() as place:
        with db.reading() as session:
            csv_out.csv_to(place, HEADER, _lines(session, period, findings))
        return db.write(_queue, period, place, findings)


def _begin(session: Session, partner_id: int, end: datetime) -> None:
    """From now on: a new reader gets the first summary when the period that runs is over."""
    row = {**NotificationSettings(partner_id=partner_id).model_dump(), "summarised_until": end}
    insert = db.insert(session, NotificationSettings.__table__).values(row)
    session.execute(insert.on_conflict_do_nothing())
    mine = col(NotificationSettings.partner_id) == partner_id
    unset = col(NotificationSettings.summarised_until).is_(None)
    session.execute(update(NotificationSettings).where(mine, unset).values(summarised_until=end))


def _lines(session: Session, period: Period, findings: Findings) -> Iterator[tuple[object, ...]]:
    """The file's lines; what they come to is left in `findings`."""
    for row in _rows(session, period):
        status = _status(row, period.end)
        findings.add(status, _item(period.partner, row, status))
        if status in _EXCEPTIONS or not period.settings.exceptions_only:
            last = f"{row.finished_at:%Y-%m-%dT%H:%M:%SZ}" if row.finished_at else ""
            numbers = (row.entities or 0, row.entities_failed or 0, row.size_bytes)
            service = _SERVICES.get(row.service, row.service)
            yield (row.account, row.email, service, row.task, status, last, *numbers, row.message or "")


def _rows(session: Session, period: Period) -> Iterator[Row[Any]]:
    """The partner's active tasks with the newest run that came in between."""
    run, task, account = BackupRun.__table__.c, BackupTask.__table__.c, Account.__table__.c
    newest = (
        select(run.id)
        .where(
            # The account is named for the index that ends in finished_at.
            run.account_id == task.account_id,
            run.task_id == task.id,
            run.received_at > period.start,
            run.received_at <= period.end,
            run.finished_at > period.start - LATE,
        )
        .order_by(run.finished_at.desc(), run.id.desc())
        .limit(1)
        .correlate(BackupTask.__table__)
        .scalar_subquery()
    )
    wanted = (
        select(account.id.label("account_id"), account.name.label("account"), account.email)
        .add_columns(task.id.label("task_id"), task.name.label("task"), task.service, task.size_bytes, task.every)
        .add_columns(task.last_finished_at, task.created_at, run.outcome, run.finished_at, run.entities)
        .add_columns(run.entities_failed, run.message)
        .join_from(Account.__table__, BackupTask.__table__, task.account_id == account.id)
        .outerjoin(BackupRun.__table__, run.id == newest)
        .where(account.partner_id == period.partner_id, account.partner_access, task.active)
        .order_by(account.name_key, account.id, task.id)
    )
    return iter(session.execute(wanted.execution_options(yield_per=ROWS_AT_ONCE)))


def _status(row: Row[Any], end: datetime) -> str:
    if row.outcome is not None:
        return STATUSES[Outcome(row.outcome)]
    # Silence is an exception, too, once a backup should have come.
    due = (row.last_finished_at or row.created_at) + timedelta(days=_DAYS[Every(row.every)]) + _GRACE
    return NO_BACKUP if due < end else NOT_DUE


def _item(partner: Partner, row: Row[Any], status: str) -> Item:
    thing = Thing(row.account_id, row.account, row.task_id, row.task)
    if row.outcome is None:
        last = f"last one {letters.at(row.last_finished_at, partner)}" if row.last_finished_at else "never yet"
        return thing.name, thing.address, f"{status}: {last}"
    remark = f"{status} at {letters.at(row.finished_at, partner)}"
    return thing.name, thing.address, f"{remark}. {row.message}" if row.message else remark


def _queue(session: Session, period: Period, place: Path, findings: Findings) -> bool:
    of, partner, end = NotificationSettings, period.partner, period.end
    readers = repository.readers(session, "summary", [period.partner_id]).get(period.partner_id, [])
    mine = (col(of.partner_id) == period.partner_id, col(of.summarised_until) == period.start)
    moved = session.execute(update(of).where(*mine).values(summarised_until=end)).rowcount
    if not moved or not readers:
        place.unlink(missing_ok=True)
        return False
    file = files.keep(
        session,
        place,
        name=f"backup-summary-{clock.day_in(partner.time_zone, end)}.csv",
        kind="summary",
        partner_id=period.partner_id,
        permission=Permission.DASHBOARD_VIEW,
    )
    letter = _letter(period, findings, file)
    queue_all(session, letters.mails(letter, partner, readers, f"summary:{partner.id}:{end:%Y-%m-%dT%H:%M}"))
    said = f"Summary report to {count(len(readers), 'recipient')}"
    record(session, system(partner.id), Activity.NOTIFICATION, said)
    return True


def _letter(period: Period, findings: Findings, file: StoredFile) -> Letter:
    partner, chosen = period.partner, period.settings
    attached = chosen.detail == DetailForm.ATTACHMENT and files.fits_a_mail(file)
    span = f"From {letters.at(period.start, partner)} to {letters.at(period.end, partner)}"
    details = f"The details are behind the link below until {letters.at(file.ends_at, partner)}, as a CSV file."
    return Letter(
        subject=f"Backups of {_PERIODS[chosen.frequency]}: {_in_short(findings.counts)}",
        paragraphs=(
            f"{span}: {_in_full(findings.counts)}",
            "The details are attached as a CSV file." if attached else details,
        ),
        items=_items(findings, chosen.exceptions_only),
        action=("Open the dashboard", absolute("/")) if attached else ("Download the details", files.link_to(file)),
        attachments=((file.name, files.source_of(file)),) if attached else (),
        small=() if attached else ("Who sees all accounts in the portal may open the link.",),
    )


def _in_short(counts: Counter[str]) -> str:
    parts = [f"{counts[status]:,} {_COUNTED[status]}" for status in _EXCEPTIONS if counts[status]]
    return ", ".join(parts) or ("all successful" if counts else "no tasks yet")


def _in_full(counts: Counter[str]) -> str:
    statuses = (STATUSES[Outcome.SUCCESSFUL], STATUSES[Outcome.PARTIAL], STATUSES[Outcome.FAILED], NO_BACKUP)
    told = ", ".join(f"{counts[status]:,} {_COUNTED[status]}" for status in statuses)
    rest = f" {count(counts[NOT_DUE], 'task')} had no backup due." if counts[NOT_DUE] else ""
    return f"of {count(counts.total(), 'backup task')}, {told}.{rest}"


def _items(findings: Findings, exceptions_only: bool) -> tuple[Item, ...]:
    """As many as a mail can show, exceptions first."""
    shown = _EXCEPTIONS if exceptions_only else (*_EXCEPTIONS, STATUSES[Outcome.SUCCESSFUL], NOT_DUE)
    items = [item for status in shown for item in findings.items.get(status, ())][:SHOWN]
    more = sum(findings.counts[status] for status in shown) - len(items)
    return tuple(items) + ((("", "", f"and {more:,} more in the file"),) if more > 0 else ())
