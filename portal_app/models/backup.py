"""Backup tasks of an account and the runs that engines report."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class Outcome(StrEnum):
    SUCCESSFUL = "successful"
    PARTIAL = "partial"
    FAILED = "failed"


class BackupTask(SQLModel, table=True):
    """What is backed up of an account. `key` is the name under which an engine reports it."""

    __tablename__ = "backup_task"
    __table_args__ = (
        UniqueConstraint("account_id", "key"),
        CheckConstraint("last_outcome IN ('successful', 'partial', 'failed')", name="last_outcome_known"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE")
    key: str = Field(max_length=120)
    name: str = Field(max_length=120)
    service: str = Field(default="generic", max_length=40)
    entities: int = 0
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    last_outcome: str | None = None
    last_finished_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)


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
