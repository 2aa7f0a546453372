"""Who of a partner hears of what, how often, and in which form."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class Frequency(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class DetailForm(StrEnum):
    """How the CSV of a report comes: with the mail, or as a link."""

    ATTACHMENT = "attachment"
    LINK = "link"


class RadarForm(StrEnum):
    CSV = "csv"
    ZIP = "zip"


class NotificationRecipient(SQLModel, table=True):
    """An address that a partner's notifications go to, and which of them."""

    __tablename__ = "notification_recipient"
    __table_args__ = (UniqueConstraint("partner_id", "email_key"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE")
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=800)
    name: str = Field(max_length=120)
    summary: bool = False
    recovery: bool = False
    exceptions: bool = False
    discovery: bool = False
    trials: bool = False
    created_at: datetime = Field(sa_type=Instant)


class NotificationSettings(SQLModel, table=True):
    """A partner's choices for all its notifications. `radar_enabled` is an operator's to turn on."""

    __tablename__ = "notification_settings"
    __table_args__ = (one_of("frequency", Frequency), one_of("detail", DetailForm), one_of("radar_form", RadarForm))

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    frequency: str = Frequency.DAILY
    exceptions_only: bool = False
    detail: str = DetailForm.ATTACHMENT
    radar_enabled: bool = False
    radar_address: str = Field(default="", max_length=254)
    radar_form: str = RadarForm.CSV
    # Up to where the last summary, and the last mail to Backup Radar, told.
    summarised_until: datetime | None = Field(default=None, sa_type=Instant)
    radar_until: datetime | None = Field(default=None, sa_type=Instant)


class TaskTrouble(SQLModel, table=True):
    """A task whose last backup was no success: since when, and when recipients were last told so."""

    __tablename__ = "task_trouble"

    task_id: int = Field(primary_key=True, foreign_key="backup_task.id", ondelete="CASCADE")
    since: datetime = Field(sa_type=Instant)
    told_at: datetime = Field(sa_type=Instant)
