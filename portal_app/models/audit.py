"""The security audit: rows are only ever added."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant


class AuditEvent(SQLModel, table=True):
    """Who did what, when, to which account, from where. Names are copied: they outlive the rows they name."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "partner_id", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int | None = Field(default=None, foreign_key="partner.id")
    account_id: int | None = None
    account_name: str = Field(default="", max_length=120)
    user_id: int | None = None
    performed_by: str = Field(max_length=254)
    activity: str = Field(max_length=40)
    completed: bool = True
    description: str = Field(default="", max_length=500)
    address: str = Field(default="", max_length=64)
    browser: str = Field(default="", max_length=200)
    made_at: datetime = Field(sa_type=Instant)
