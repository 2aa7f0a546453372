"""Partners (resellers), the provider's data centres, and what a partner's day looked like."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, LargeBinary, Text, false
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class PartnerState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class SubscriptionType(StrEnum):
    """How a new account begins (spec 4.3)."""

    TRIAL = "trial"
    TRIAL_MONTHLY = "trial_monthly"
    TRIAL_ANNUAL = "trial_annual"
    MONTHLY = "monthly"
    ANNUAL = "annual"


class PlaceKind(StrEnum):
    """What the provider keeps backups in."""

    FOLDER = "folder"
    AWS_S3 = "aws_s3"
    S3_COMPATIBLE = "s3_compatible"
    GOOGLE_CLOUD = "google_cloud"
    AZURE = "azure"


class DataCenter(SQLModel, table=True):
    """A place of the provider where customers' backups are kept."""

    __tablename__ = "data_center"
    __table_args__ = (one_of("kind", PlaceKind),)

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=40)
    name: str = Field(unique=True, max_length=80)
    position: int = 0
    active: bool = True
    # Where its backups lie: a folder of this machine, unless an operator gave it a storage; credentials are sealed.
    kind: str = Field(default=PlaceKind.FOLDER, sa_column_kwargs={"server_default": PlaceKind.FOLDER.value})
    place: str = Field(default="", max_length=300, sa_column_kwargs={"server_default": ""})
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    checked_at: datetime | None = Field(default=None, sa_type=Instant)


class Partner(SQLModel, table=True):
    """A reseller: owns customer accounts, users and bills."""

    __tablename__ = "partner"
    __table_args__ = (one_of("state", PartnerState), one_of("default_subscription", SubscriptionType))

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=20)
    name: str = Field(max_length=120)
    state: str = PartnerState.ACTIVE
    is_demo: bool = False
    currency: str = Field(default="USD", max_length=3)
    time_zone: str = Field(default="UTC", max_length=64)
    default_subscription: str = SubscriptionType.TRIAL
    default_data_center_id: int | None = Field(default=None, foreign_key="data_center.id")
    # How old a user's password may grow; None for any age.
    password_days: int | None = None
    require_two_factor: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    email: str = Field(default="", max_length=254)
    address: str = Field(default="", max_length=500)
    phone: str = Field(default="", max_length=40)
    # Whether its people may come only from its trusted addresses.
    ip_restricted: bool = False
    created_at: datetime = Field(sa_type=Instant)


class PartnerDay(SQLModel, table=True):
    """Backups of one day by outcome, and the bytes stored at its end: what the charts draw."""

    __tablename__ = "partner_day"

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    day: date = Field(primary_key=True)
    successful: int = 0
    partial: int = 0
    failed: int = 0
    stored_bytes: int = Field(default=0, sa_type=BigInteger)


class PartnerChange(SQLModel, table=True):
    """A number that grows with every change of a partner's accounts and bills; pages watch it. Kept by triggers."""

    __tablename__ = "partner_change"

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    number: int = Field(default=0, sa_type=BigInteger)


class TrustedAddress(SQLModel, table=True):
    """One entry of the addresses from which a partner's people may come; `addresses` is how it is shown."""

    __tablename__ = "trusted_address"

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE", index=True)
    description: str = Field(default="", max_length=120)
    addresses: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)


class TrustedSpan(SQLModel, table=True):
    """The addresses of an entry from one to another, as keys that compare bytewise (ip_restrictions/addresses.py)."""

    __tablename__ = "trusted_span"
    __table_args__ = (Index(None, "partner_id", "first", "last"),)

    id: int | None = Field(default=None, primary_key=True)
    entry_id: int = Field(foreign_key="trusted_address.id", ondelete="CASCADE", index=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE")
    first: bytes = Field(sa_type=LargeBinary)
    last: bytes = Field(sa_type=LargeBinary)
