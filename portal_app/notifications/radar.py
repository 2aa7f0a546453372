"""Mails for Backup Radar: each run since the last mail, in the form that it reads (spec 8.2)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlmodel import Session, col

from portal_app import clock, csv_out, db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from portal_app.files import service as files
from portal_app.mail import service as mail
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.models import Account, BackupRun, BackupTask, NotificationSettings, Outcome, Partner, RadarForm
from portal_app.notifications import letters
from portal_app.notifications.periods import Period
from portal_app.sizes import size_text

KIND = "backup radar"
HEADER = ("Device", "Status", "Backup Date", "Job", "Client", "Data Size")
SUBJECT = "Backup Report CSV"
STATUSES = {Outcome.SUCCESSFUL: "Success", Outcome.PARTIAL: "Warning", Outcome.FAILED: "Failure"}
ROWS_AT_ONCE = 500
# A mail an hour tells soon enough; by then what was received in that hour is committed.
EVERY = timedelta(hours=1)
SETTLED = timedelta(minutes=5)
LATE = timedelta(days=30)


def tell_due() -> int:
    """Send what came in since the last mail of each partner; gives how many partners were looked at."""
    due = db.read(_due)
    for period in due:
        _tell(period)
    return len(due)


def _due(session: Session) -> list[Period]:
    of = NotificationSettings
    end = (clock.now() - SETTLED).replace(minute=0, second=0, microsecond=0)
    wanted = select(Partner, of).join(of, col(of.partner_id) == col(Partner.id)).order_by(col(Partner.id))
    is_due = (of.radar_enabled, col(of.radar_address) != "", col(of.radar_until) <= end - EVERY)
    return [Period(partner, kept, kept.radar_until, end) for partner, kept in session.execute(wanted.where(*is_due))]


def _tell(period: Period) -> None:
    with files.new_file() as place:
        with db.reading() as session:
            rows = _rows(session, period)
            # Without the mark for spreadsheets: the header is to be exactly this.
            if period.settings.radar_form == RadarForm.ZIP:
                count = csv_out.zip_to(place, "backup-report.csv", HEADER, rows, mark=False)
            else:
                count = csv_out.csv_to(place, HEADER, rows, mark=False)
        db.write(_queue, period, place, count)


def _rows(session: Session, period: Period) -> Iterator[tuple[object, ...]]:
    run, task, account = BackupRun.__table__.c, BackupTask.__table__.c, Account.__table__.c
    wanted = (
        select(account.email, account.name.label("account"), task.name.label("task"))
        .add_columns(run.outcome, run.finished_at, run.size_bytes)
        .join_from(Account.__table__, BackupRun.__table__, run.account_id == account.id)
        .join(BackupTask.__table__, task.id == run.task_id)
        .where(account.partner_id == period.partner_id, account.partner_access)
        .where(run.finished_at > period.start - LATE)
        .where(run.received_at > period.start, run.received_at <= period.end)
        .order_by(run.finished_at, run.id)
    )
    for row in session.execute(wanted.execution_options(yield_per=ROWS_AT_ONCE)):
        finished = f"{row.finished_at:%Y-%m-%d %H:%M:%S}"
        yield row.email, STATUSES[Outcome(row.outcome)], finished, row.task, row.account, size_text(row.size_bytes)


def _queue(session: Session, period: Period, place: Path, rows: int) -> None:
    of, partner, end = NotificationSettings, period.partner, period.end
    mine = (col(of.partner_id) == period.partner_id, col(of.radar_until) == period.start, of.radar_enabled)
    moved = session.execute(update(of).where(*mine).values(radar_until=end)).rowcount
    if not moved or not rows:
        place.unlink(missing_ok=True)
        return
    file = files.keep(
        session,
        place,
        name=f"backup-report-{end:%Y-%m-%d-%H%M}.{period.settings.radar_form}",
        kind=KIND,
        partner_id=period.partner_id,
        permission=Permission.NOTIFICATIONS_MANAGE,
    )
    results = letters.count(rows, "result")
    letter = Letter(
        subject=f"{SUBJECT} {partner.code} {end:%Y-%m-%d %H:%M} UTC",
        paragraphs=(f"{results} of backups of {partner.name}. The file is attached.",),
        action=("Open the dashboard", absolute("/")),
        attachments=((file.name, files.source_of(file)),),
    )
    to, once = period.settings.radar_address, f"radar:{partner.id}:{end:%Y-%m-%dT%H:%M}"
    mail.queue(session, to, letter, kind=KIND, partner_id=partner.id, once=once)
    record(session, system(partner.id), Activity.NOTIFICATION, f"Backup Radar: {results} mailed")
