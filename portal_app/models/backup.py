"""Backup tasks of an account, what each holds, and its runs: reported from outside, or made by the built-in engine."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, false, true
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of, where


class Outcome(StrEnum):
    SUCCESSFUL = "successful"
    PARTIAL = "partial"
    FAILED = "failed"


class TaskEngine(StrEnum):
    """Who makes a task's backups: a tool outside that reports them, or the portal."""

    REPORTED = "reported"
    BUILT_IN = "built_in"


class Every(StrEnum):
    """How often a task is backed up."""

    DAILY = "daily"
    THREE_DAYS = "three_days"
    WEEKLY = "weekly"


class Discovery(StrEnum):
    """What becomes of entities that a run sees for the first time."""

    ADD = "add"
    ASK = "ask"
    IGNORE = "ignore"


class SourceKind(StrEnum):
    """What the built-in engine reads from."""

    FOLDER = "folder"
    S3 = "s3"
    WEBDAV = "webdav"
    SFTP = "sftp"
    ONEDRIVE = "onedrive"
    SHAREPOINT = "sharepoint"
    GOOGLE_DRIVE = "google_drive"
    DROPBOX = "dropbox"
    BOX = "box"


class Standing(StrEnum):
    """How an entity stands in its task. Who waits was found, and nobody has said yet whether to back it up."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"
    WAITING = "waiting"
    IGNORED = "ignored"


class BackupTask(SQLModel, table=True):
    """What is backed up of an account. `key` is the name under which an engine reports it.

    A built-in one reads `source_kind` with what `source_sealed` holds, and keeps its data in the account's storage
    below `vault`, encrypted with the key in `vault_sealed`; `next_run_at` is when it runs next, if it is active.
    """

    __tablename__ = "backup_task"
    __table_args__ = (
        UniqueConstraint("account_id", "key"),
        CheckConstraint("last_outcome IN ('successful', 'partial', 'failed')", name="last_outcome_known"),
        one_of("engine", TaskEngine),
        one_of("every", Every),
        one_of("discovery", Discovery),
        one_of("source_kind", SourceKind),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour_of_day"),
        Index(None, "next_run_at", **where("next_run_at IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE")
    key: str = Field(max_length=120)
    name: str = Field(max_length=120)
    service: str = Field(default="generic", max_length=40)
    entities: int = 0
    # How many of them are billed (backups/entities/shown.py).
    billed_entities: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    last_outcome: str | None = None
    last_finished_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)
    engine: str = Field(default=TaskEngine.REPORTED, sa_column_kwargs={"server_default": TaskEngine.REPORTED.value})
    active: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    every: str = Field(default=Every.DAILY, sa_column_kwargs={"server_default": Every.DAILY.value})
    # Of the day in UTC.
    hour: int = Field(default=2, sa_column_kwargs={"server_default": "2"})
    # None: for ever.
    keep_days: int | None = None
    discovery: str = Field(default=Discovery.ADD, sa_column_kwargs={"server_default": Discovery.ADD.value})
    source_kind: str | None = None
    # For people to recognise; no secret is in it.
    source_place: str = Field(default="", max_length=300, sa_column_kwargs={"server_default": ""})
    source_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    vault: str = Field(default="", max_length=80, sa_column_kwargs={"server_default": ""})
    vault_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    next_run_at: datetime | None = Field(default=None, sa_type=Instant)


class BackupEntity(SQLModel, table=True):
    """One mailbox, site, drive or folder of a task. `key` is its name at the engine, `licensed` None where unknown."""

    __tablename__ = "backup_entity"
    __table_args__ = (
        one_of("standing", Standing),
        one_of("outcome", Outcome),
        UniqueConstraint("task_id", "key"),
        CheckConstraint("size_bytes >= 0", name="not_negative"),
        Index(None, "task_id", "name_key", "id"),
        Index(None, "task_id", "standing", "name_key", "id"),
        Index(None, "account_id", "task_id", "id"),
        Index(None, "told", "id", **where("NOT told")),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE")
    task_id: int = Field(foreign_key="backup_task.id", ondelete="CASCADE")
    key: str = Field(max_length=300)
    name: str = Field(max_length=300)
    name_key: str = Field(max_length=1000)
    kind: str = Field(default="", max_length=40)
    standing: str = Standing.ACTIVE
    licensed: bool | None = None
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    # Of the last attempt; None before the first.
    outcome: str | None = None
    error: str = Field(default="", max_length=500)
    last_backup_at: datetime | None = Field(default=None, sa_type=Instant)
    last_attempt_at: datetime | None = Field(default=None, sa_type=Instant)
    found_at: datetime = Field(sa_type=Instant)
    # Whether notifications have looked at it (notifications/discovery.py).
    told: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class BackupRun(SQLModel, table=True):
    """One run of a task as its engine reported it; the engine's run id makes a second report harmless."""

    __tablename__ = "backup_run"
    __table_args__ = (
        one_of("outcome", Outcome),
        UniqueConstraint("task_id", "run_key"),
        CheckConstraint("finished_at >= started_at", name="ends_after_start"),
        CheckConstraint(
            "added_bytes >= 0 AND size_bytes >= 0 AND entities >= 0 AND entities_failed >= 0", name="not_negative"
        ),
        Index(None, "account_id", "finished_at"),
        Index(None, "told", "id", **where("NOT told")),
        Index(None, "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE")
    task_id: int = Field(foreign_key="backup_task.id", ondelete="CASCADE")
    run_key: str = Field(max_length=120)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime = Field(sa_type=Instant)
    outcome: str
    added_bytes: int = Field(default=0, sa_type=BigInteger)
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    entities: int = 0
    entities_failed: int = 0
    message: str = Field(default="", max_length=500)
    received_at: datetime = Field(sa_type=Instant)
    # The built-in engine's snapshot that the run made, and the end of what it said.
    snapshot: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    log: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    # Whether notifications have looked at it (notifications/failures.py).
    told: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
