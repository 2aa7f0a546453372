"""Customer accounts: identity, subscription, storage, and the totals kept beside them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, true
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class AccountStatus(StrEnum):
    TRIAL_STARTED = "trial_started"
    TRIAL_EXPIRING = "trial_expiring"
    TRIAL_EXPIRED = "trial_expired"
    MONTHLY = "monthly"
    ANNUAL = "annual"


TRIALS = (AccountStatus.TRIAL_STARTED, AccountStatus.TRIAL_EXPIRING, AccountStatus.TRIAL_EXPIRED)


class BackupStatus(StrEnum):
    NONE = "none"
    SUCCESSFUL = "successful"
    PARTIAL = "partial"
    FAILED = "failed"


class BillingStatus(StrEnum):
    NONE = "none"
    CURRENT = "current"
    DUE = "due"
    OVERDUE = "overdue"


class StorageKind(StrEnum):
    DATA_CENTER = "data_center"
    AWS_S3 = "aws_s3"
    S3_COMPATIBLE = "s3_compatible"
    GOOGLE_CLOUD = "google_cloud"
    AZURE = "azure"


class Account(SQLModel, table=True):
    """One customer's backup account. `next_step_at` is when the trial rules act on it next."""

    __tablename__ = "account"
    __table_args__ = (
        one_of("status", AccountStatus),
        one_of("backup_status", BackupStatus),
        one_of("billing_status", BillingStatus),
        one_of("storage_kind", StorageKind),
        CheckConstraint("auto_subscribe IN ('monthly', 'annual')", name="auto_subscribe_known"),
        CheckConstraint("amount_minor >= 0 AND size_bytes >= 0", name="not_negative"),
        CheckConstraint("(status IN ('monthly', 'annual')) = (subscribed_at IS NOT NULL)", name="subscribed_has_date"),
        CheckConstraint("(status IN ('monthly', 'annual')) = (next_step_at IS NULL)", name="trial_has_next_step"),
        CheckConstraint("status IN ('monthly', 'annual') OR trial_ends_at IS NOT NULL", name="trial_has_end"),
        CheckConstraint("(storage_kind = 'data_center') = (data_center_id IS NOT NULL)", name="storage_has_place"),
        Index(None, "partner_id", "name_key", "id"),
        Index(None, "partner_id", "email_key", "id"),
        Index(None, "partner_id", "status", "name_key", "id"),
        Index(None, "partner_id", "backup_status", "name_key", "id"),
        Index(None, "partner_id", "billing_status", "name_key", "id"),
        Index(None, "partner_id", "amount_minor", "id"),
        Index(None, "partner_id", "size_bytes", "id"),
        Index(None, "partner_id", "id"),
        Index(None, "data_center_id", "size_bytes"),
        # Ids are never used again: an old link must not open a new customer.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id")
    name: str = Field(max_length=120)
    name_key: str = Field(max_length=400)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=800, unique=True)
    status: str
    backup_status: str = BackupStatus.NONE
    billing_status: str = BillingStatus.NONE
    amount_minor: int = Field(default=0, sa_type=BigInteger)
    size_bytes: int = Field(default=0, sa_type=BigInteger)
    storage_kind: str = StorageKind.DATA_CENTER
    data_center_id: int | None = Field(default=None, foreign_key="data_center.id")
    auto_subscribe: str | None = None
    trial_ends_at: datetime | None = Field(default=None, sa_type=Instant)
    subscribed_at: datetime | None = Field(default=None, sa_type=Instant)
    next_step_at: datetime | None = Field(default=None, sa_type=Instant, index=True)
    last_backup_at: datetime | None = Field(default=None, sa_type=Instant)
    # Whether its partner may open it; an operator can take that away. Its bills stay the partner's.
    partner_access: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    created_at: datetime = Field(sa_type=Instant)


class AccountTotal(SQLModel, table=True):
    """Accounts, amount and size of each combination of statuses. Kept by triggers, read by the widgets."""

    __tablename__ = "account_total"

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    status: str = Field(primary_key=True)
    backup_status: str = Field(primary_key=True)
    billing_status: str = Field(primary_key=True)
    accounts: int = 0
    amount_minor: int = Field(default=0, sa_type=BigInteger)
    size_bytes: int = Field(default=0, sa_type=BigInteger)


class CustomStorage(SQLModel, table=True):
    """The customer's own storage; its credentials are sealed and bound to this row."""

    __tablename__ = "custom_storage"

    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    kind: str
    place: str = Field(max_length=300, description="Bucket or container, for people to recognise.")
    sealed: bytes = Field(sa_type=LargeBinary)
    checked_at: datetime = Field(sa_type=Instant)


class DeletedAccount(SQLModel, table=True):
    """What stays of an account for the audit and for bills."""

    __tablename__ = "deleted_account"

    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    partner_id: int = Field(foreign_key="partner.id", index=True)
    name: str = Field(max_length=120)
    email: str = Field(max_length=254)
    created_at: datetime = Field(sa_type=Instant)
    deleted_at: datetime = Field(sa_type=Instant)
    reason: str = Field(max_length=40)


class TrialNotice(SQLModel, table=True):
    """A message that the trial rules owe the trial recipients; each kind once per account."""

    __tablename__ = "trial_notice"

    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(primary_key=True, max_length=40)
    partner_id: int = Field(foreign_key="partner.id", index=True)
    account_name: str = Field(max_length=120)
    made_at: datetime = Field(sa_type=Instant)
