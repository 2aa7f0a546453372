"""The customer's account in words, ready for its page."""

from typing import TypedDict

from portal_app.accounts.rows import BACKUP, STATUS, AccountDetails
from portal_app.backups.rows import RunRow, TaskRow
from portal_app.facts import Fact
from portal_app.sizes import size_text
from portal_app.times import Moment, moment


class TaskLine(TypedDict):
    """One backup task."""

    id: int
    name: str
    service: str
    entities: str
    outcome: str
    outcome_kind: str
    last: Moment
    size: str


class RunLine(TypedDict):
    """One run of a task."""

    id: int
    task: str
    outcome: str
    outcome_kind: str
    started: Moment
    took: str
    added: str
    entities: str
    message: str


def facts(details: AccountDetails, time_zone: str) -> list[Fact]:
    """What stands in the account's head."""
    last = moment(details.last_backup_at, time_zone)
    begun = moment(details.created_at, time_zone)
    lines = [
        Fact(label="Email", text=details.email, exact=""),
        Fact(label="Storage", text=details.place, exact=""),
        Fact(label="Stored data", text=size_text(details.size_bytes), exact=f"{details.size_bytes:,} bytes"),
        Fact(label="Last backup", text=last["text"], exact=last["exact"]),
        Fact(label="Customer since", text=begun["text"], exact=begun["exact"]),
    ]
    if details.trial_ends_at is not None:
        ends = moment(details.trial_ends_at, time_zone)
        lines.append(Fact(label="Trial ends", text=ends["text"], exact=ends["exact"]))
    return lines


def badges(details: AccountDetails) -> tuple[tuple[str, str], tuple[str, str]]:
    """Words and colour of the account's status and of its backups."""
    return STATUS[details.status], BACKUP[details.backup_status]


def task_line(row: TaskRow, time_zone: str) -> TaskLine:
    """The words of one task."""
    words, kind = BACKUP[row.last_outcome or "none"]
    return TaskLine(
        id=row.id,
        name=row.name,
        service=row.service.label,
        entities=f"{row.entities:,}",
        outcome=words,
        outcome_kind=kind,
        last=moment(row.last_finished_at, time_zone),
        size=size_text(row.size_bytes),
    )


def run_line(row: RunRow, time_zone: str) -> RunLine:
    """The words of one run."""
    words, kind = BACKUP[row.outcome]
    failed = f", {row.entities_failed:,} failed" if row.entities_failed else ""
    return RunLine(
        id=row.id,
        task=row.task_name,
        outcome=words,
        outcome_kind=kind,
        started=moment(row.started_at, time_zone),
        took=_took(int((row.finished_at - row.started_at).total_seconds())),
        added=size_text(row.added_bytes),
        entities=f"{row.entities:,}{failed}",
        message=row.message,
    )


def _took(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"
