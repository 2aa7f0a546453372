"""The daily work, day by day; jobs that a worker does; and the files that come of them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Index, false
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of, where


class CycleRun(SQLModel, table=True):
    """The daily work of one day. The key makes it happen once; the lease lets another process take over."""

    __tablename__ = "cycle_run"

    day: date = Field(primary_key=True)
    holder: str = Field(max_length=80)
    held_until: datetime = Field(sa_type=Instant)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    counts: dict = Field(default_factory=dict, sa_type=JSON)


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


class Job(SQLModel, table=True):
    """One piece of work for a worker. Account and task are named without a foreign key: a job may outlive them.

    Of an `open_key` there is one job at a time that has not ended; of a `slot` there ever is one. `claim` names the
    attempt that is under way until `lease_until`: whoever finds it lapsed may take the job over, and the one who lost
    it can't write any more.
    """

    __tablename__ = "job"
    __table_args__ = (
        one_of("state", JobState),
        Index(None, "state", "run_at"),
        Index(None, "account_id", "id"),
        # The operators' list, by each of its filters and orders.
        Index(None, "state", "id"),
        Index(None, "kind", "id"),
        Index(None, "partner_id", "id"),
        Index(None, "finished_at", "id"),
        Index(None, "lease_until", **where("state = 'running'")),
        Index(None, "told", "id", **where("NOT told AND kind IN ('restore', 'export')")),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=40)
    partner_id: int | None = None
    account_id: int | None = None
    task_id: int | None = Field(default=None, index=True)
    open_key: str | None = Field(default=None, max_length=120, unique=True)
    slot: str | None = Field(default=None, max_length=120, unique=True)
    payload: dict = Field(default_factory=dict, sa_type=JSON)
    state: str = JobState.WAITING
    run_at: datetime = Field(sa_type=Instant)
    claim: str = Field(default="", max_length=32)
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    attempts: int = 0
    progress: dict = Field(default_factory=dict, sa_type=JSON)
    cancel_requested: bool = False
    result: dict = Field(default_factory=dict, sa_type=JSON)
    fault: str = Field(default="", max_length=500)
    made_by: str = Field(default="", max_length=254)
    made_by_id: int | None = None
    created_at: datetime = Field(sa_type=Instant)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    # Whether notifications have looked at its end (notifications/recoveries.py).
    told: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class StoredFile(SQLModel, table=True):
    """A file in the data folder that somebody may fetch until it ends: who may see the account, with the permission.

    `user_id`: only this person. `path` is below the data folder's `files`, made up at random.
    """

    __tablename__ = "stored_file"
    __table_args__ = (Index(None, "account_id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id")
    account_id: int | None = None
    user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="CASCADE")
    permission: str = Field(max_length=60)
    kind: str = Field(max_length=40)
    name: str = Field(max_length=200)
    path: str = Field(max_length=80, unique=True)
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    made_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant, index=True)
