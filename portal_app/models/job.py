"""The daily work: which days were done, by whom, and how they ended."""

from datetime import date, datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant


class CycleRun(SQLModel, table=True):
    """The daily work of one day. The key makes it happen once; the lease lets another process take over."""

    __tablename__ = "cycle_run"

    day: date = Field(primary_key=True)
    holder: str = Field(max_length=80)
    held_until: datetime = Field(sa_type=Instant)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    counts: dict = Field(default_factory=dict, sa_type=JSON)
