"""Files of accounts that wait to be imported, and what is brought over from an existing portal."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class ImportState(StrEnum):
    WAITING = "waiting"
    DONE = "done"


class PortalImportState(StrEnum):
    """Where an import from an existing portal stands."""

    READING = "reading"
    READY = "ready"
    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"


class AccountImport(SQLModel, table=True):
    """A user's last uploaded file. The id can't be guessed; `content` is emptied once its accounts are saved."""

    __tablename__ = "account_import"
    __table_args__ = (
        one_of("state", ImportState),
        CheckConstraint("accounts >= 0", name="not_negative"),
    )

    id: str = Field(primary_key=True, max_length=43)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", unique=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE", index=True)
    file_name: str = Field(max_length=120)
    content: bytes = Field(sa_type=LargeBinary)
    state: str = ImportState.WAITING
    accounts: int = 0
    created_at: datetime = Field(sa_type=Instant)


class PortalImport(SQLModel, table=True):
    """A user's last import from an existing portal: what was read there, the dry run of it, and how it ended.

    `sealed` are the credentials, until the portal is read; `found` what was read, until it is imported. `choices` say
    what becomes of regions and statuses; `digest` is that of the dry run that was last shown.
    """

    __tablename__ = "portal_import"
    __table_args__ = (one_of("state", PortalImportState),)

    id: str = Field(primary_key=True, max_length=43)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE", unique=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE", index=True)
    job_id: int | None = None
    # The address without the version: the same portal, whichever way it is read.
    source: str = Field(max_length=300)
    version: int
    state: str = PortalImportState.READING
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    found: bytes = Field(default=b"", sa_type=LargeBinary)
    choices: dict = Field(default_factory=dict, sa_type=JSON)
    report: bytes = Field(default=b"", sa_type=LargeBinary)
    digest: str = Field(default="", max_length=64)
    fault: str = Field(default="", max_length=500)
    created_at: datetime = Field(sa_type=Instant)


class PortalLink(SQLModel, table=True):
    """What became of an account or a task of an existing portal: whoever reads it again finds it here.

    `name` is the account's name as it was last taken from there; empty for a task.
    """

    __tablename__ = "portal_link"
    __table_args__ = (
        UniqueConstraint("partner_id", "source", "foreign_id", "of_task"),
        CheckConstraint("of_task = (task_id IS NOT NULL)", name="task_of_kind"),
    )

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE")
    source: str = Field(max_length=300)
    foreign_id: str = Field(max_length=120)
    of_task: bool = False
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    task_id: int | None = Field(default=None, foreign_key="backup_task.id", ondelete="CASCADE", index=True)
    name: str = Field(default="", max_length=120)


class ImportedBill(SQLModel, table=True):
    """A bill of an existing portal, kept to be read: it is no part of any balance, forecast or day's work.

    Amounts are the texts that came. A bill has no number there: name, period and `place` among equal ones tell it.
    """

    __tablename__ = "imported_bill"
    __table_args__ = (
        UniqueConstraint("partner_id", "source", "name", "period", "place"),
        Index(None, "account_id", "period"),
    )

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE")
    # None once the account is gone.
    account_id: int | None = Field(default=None, foreign_key="account.id", ondelete="SET NULL")
    source: str = Field(max_length=300)
    name: str = Field(max_length=120)
    period: str = Field(max_length=80)
    place: int = 0
    total: str = Field(max_length=40)
    currency: str = Field(default="", max_length=3)
    discount: str = Field(default="", max_length=40)
    payment: str = Field(default="", max_length=40)
    lines: list = Field(default_factory=list, sa_type=JSON)
    imported_at: datetime = Field(sa_type=Instant)
