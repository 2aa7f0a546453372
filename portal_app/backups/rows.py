"""What pages, the API and the command line may see of backups."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from portal_app.models import BackupStatus, Outcome


class Service(StrEnum):
    """What a task backs up. Each has a stable key and a label."""

    label: str

    def __new__(cls, key: str, label: str) -> "Service":
        member = str.__new__(cls, key)
        member._value_ = key
        member.label = label
        return member

    EXCHANGE = "exchange", "Microsoft 365 Exchange"
    GROUPS = "groups", "Microsoft 365 Groups/Teams"
    SHAREPOINT = "sharepoint", "Microsoft 365 SharePoint"
    ONEDRIVE = "onedrive", "Microsoft 365 OneDrive"
    ONENOTE = "onenote", "Microsoft 365 OneNote"
    GOOGLE_MAIL = "google_mail", "Google Workspace mail"
    GOOGLE_DRIVE = "google_drive", "Google Workspace drive"
    GOOGLE_SHARED_DRIVES = "google_shared_drives", "Google Workspace shared drives"
    SALESFORCE = "salesforce", "Salesforce"
    BOX = "box", "Box"
    DROPBOX = "dropbox", "Dropbox"
    IMAP = "imap", "IMAP"
    S3 = "s3", "S3"
    GENERIC = "generic", "Generic"


@dataclass(frozen=True, slots=True)
class DayRow:
    """Backups of one UTC day by outcome."""

    day: date
    successful: int = 0
    partial: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class StoredRow:
    """Bytes stored at the end of one UTC day (of today: now)."""

    day: date
    stored_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task with its latest run. `last_outcome` is None before the first run."""

    id: int
    key: str
    name: str
    service: Service
    entities: int
    size_bytes: int
    last_outcome: Outcome | None
    last_finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunMark:
    """A place in a list of runs: pass the last row's mark as `before` for the next page."""

    finished_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a task."""

    id: int
    task_id: int
    task_name: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    added_bytes: int
    size_bytes: int
    entities: int
    entities_failed: int
    message: str

    @property
    def mark(self) -> RunMark:
        return RunMark(self.finished_at, self.id)


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """The answer to a report. `created` is False when the same run had been recorded before."""

    id: int
    account_id: int
    task_id: int
    run: str
    outcome: Outcome
    finished_at: datetime
    received_at: datetime
    created: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What an account's tasks come to together."""

    status: BackupStatus
    size_bytes: int
    last_backup_at: datetime | None
