"""Price books: what a service costs, from which day on, for everybody of a currency or for one partner (spec 5.1)."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of, where


class Basis(StrEnum):
    """What a price is for: each entity (seat, mailbox, site, drive), or each GB (10^9 bytes)."""

    UNIT = "unit"
    GB = "gb"


class PriceBook(SQLModel, table=True):
    """Prices that hold from a day on until the next book of the same currency and partner. Rates are basis points."""

    __tablename__ = "price_book"
    __table_args__ = (
        CheckConstraint("monthly_minimum_minor >= 0", name="minimum_not_negative"),
        CheckConstraint("annual_discount_bp BETWEEN 0 AND 10000", name="discount_in_range"),
        CheckConstraint("tax_bp BETWEEN 0 AND 10000", name="tax_in_range"),
        # One book a day: for everybody of the currency, and for each partner with prices of its own.
        Index("uq_price_book_common", "currency", "valid_from", unique=True, **where("partner_id IS NULL")),
        Index("uq_price_book_own", "partner_id", "valid_from", unique=True, **where("partner_id IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True)
    currency: str = Field(max_length=3)
    partner_id: int | None = Field(default=None, foreign_key="partner.id", ondelete="CASCADE")
    name: str = Field(max_length=120)
    valid_from: date
    monthly_minimum_minor: int = Field(default=0, sa_type=BigInteger)
    annual_discount_bp: int = 0
    tax_bp: int = 0
    created_at: datetime = Field(sa_type=Instant)


class Price(SQLModel, table=True):
    """A service's price in a book; its tiers say how much."""

    __tablename__ = "price"
    __table_args__ = (one_of("basis", Basis), UniqueConstraint("book_id", "service"))

    id: int | None = Field(default=None, primary_key=True)
    book_id: int = Field(foreign_key="price_book.id", ondelete="CASCADE")
    service: str = Field(max_length=40)
    basis: str


class PriceTier(SQLModel, table=True):
    """Graduated: units above `above` (up to the next tier's) cost `unit_minor` each, a month. The first is above 0."""

    __tablename__ = "price_tier"
    __table_args__ = (CheckConstraint("above >= 0 AND unit_minor >= 0", name="not_negative"),)

    price_id: int = Field(primary_key=True, foreign_key="price.id", ondelete="CASCADE")
    above: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    unit_minor: int = Field(sa_type=BigInteger)
