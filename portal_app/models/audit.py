"""The security audit: rows are only ever added, and each is chained to the one before it."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant


class AuditEvent(SQLModel, table=True):
    """Who did what, when, to which account, from where. Names are copied: they outlive the rows they name.

    `number` counts the rows of one chain (a partner's, or that of the rows without one) from 1 without a gap; `hash`
    is over all the row says and the hash of the row before it (`audit/chain.py`).
    """

    __tablename__ = "audit_event"
    # One index for each question of the audit page, in its order; a refusal is rare, so only refusals are indexed.
    __table_args__ = (
        Index(None, "partner_id", "number", unique=True),
        Index(None, "partner_id", "made_at", "number"),
        Index(None, "partner_id", "activity", "made_at", "number"),
        Index(None, "partner_id", "account_id", "made_at", "number"),
        Index(None, "partner_id", "performed_by", "made_at", "number"),
        Index(
            "ix_audit_event_failed",
            "partner_id",
            "made_at",
            "number",
            sqlite_where=text("NOT completed"),
            postgresql_where=text("NOT completed"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int | None = Field(default=None, foreign_key="partner.id")
    number: int = Field(sa_type=BigInteger)
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
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditChain(SQLModel, table=True):
    """The end of a chain: number and hash of its last row. Who adds rows holds its lock until they are committed."""

    __tablename__ = "audit_chain"

    chain: int = Field(
        primary_key=True, sa_column_kwargs={"autoincrement": False}, description="The partner's id; 0 without one."
    )
    number: int = Field(default=0, sa_type=BigInteger)
    hash: str = Field(default="", max_length=64)
