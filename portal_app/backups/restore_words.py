"""Restores and exports in words, ready for their page."""

from typing import TypedDict

from portal_app.accounts.rows import BACKUP
from portal_app.backups.engine.recovery import EXPORT, RecoveryRow
from portal_app.backups.restore_reading import KeptBackup
from portal_app.models import JobState
from portal_app.sizes import size_text
from portal_app.times import Moment, moment

STATES = {
    JobState.WAITING: ("Waiting", "grey"),
    JobState.RUNNING: ("Running", "accent"),
    JobState.DONE: ("Done", "green"),
    JobState.FAILED: ("Failed", "red"),
    JobState.CANCELED: ("Canceled", "grey"),
}
OPEN = (JobState.WAITING, JobState.RUNNING)


class RecoveryWords(TypedDict):
    """A restore or an export."""

    id: int
    what: str
    task: str
    state: str
    state_kind: str
    open: bool
    percent: int
    words: str
    size: str
    started: Moment
    by: str
    href: str
    file: str


def recovery_words(row: RecoveryRow, time_zone: str) -> RecoveryWords:
    """The words of one restore or export."""
    words, kind = STATES[JobState(row.state)]
    return RecoveryWords(
        id=row.id,
        what="Export" if row.kind == EXPORT else "Restore",
        task=row.task or "A task that was deleted",
        state=words,
        state_kind=kind,
        open=row.state in OPEN,
        percent=min(100, max(0, row.percent)),
        words=row.fault or row.words,
        size=size_text(row.size_bytes),
        started=moment(row.created_at, time_zone),
        by=row.made_by,
        href=f"/files/{row.file_id}" if row.file_id else "",
        file=row.file_name,
    )


def backup_label(backup: KeptBackup, time_zone: str) -> str:
    """Such as "Nov 23, 2026, 3:07 PM · Successful"."""
    return f"{moment(backup.finished_at, time_zone)['text']} · {BACKUP[backup.outcome][0]}"
