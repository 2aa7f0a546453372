"""Subscriptions and bills (spec 5.2). Dates are days in the partner's zone; a period ends before its `ends_on`."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, false
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class Plan(StrEnum):
    MONTHLY = "monthly"
    ANNUAL = "annual"


class BillingMethod(StrEnum):
    CARD = "card"
    INVOICE = "invoice"


class Delivery(StrEnum):
    """How an invoice or receipt goes out by mail."""

    LINK = "link"
    ATTACHMENT = "attachment"


class BillKind(StrEnum):
    CONSOLIDATED = "consolidated"
    ACCOUNT = "account"
    CREDIT_NOTE = "credit_note"


class BillState(StrEnum):
    """OVERDUE is no state: an open bill is overdue by its due date or by its refused charge."""

    OPEN = "open"
    PAID = "paid"
    CREDITED = "credited"


class BillingProfile(SQLModel, table=True):
    """How a partner is billed, and whom its bills are made out to. `billed_through`: the last day that is done."""

    __tablename__ = "billing_profile"
    __table_args__ = (
        CheckConstraint("method IN ('card', 'invoice')", name="method_known"),
        one_of("delivery", Delivery),
        CheckConstraint("payment_day BETWEEN 1 AND 31", name="payment_day_of_a_month"),
    )

    partner_id: int = Field(primary_key=True, foreign_key="partner.id", ondelete="CASCADE")
    method: str | None = None
    payment_day: int = 1
    # Annual subscriptions that start on one day share a bill.
    annual_together: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    title: str = Field(default="", max_length=20)
    first_name: str = Field(default="", max_length=80)
    last_name: str = Field(default="", max_length=80)
    company: str = Field(default="", max_length=120)
    tax_id: str = Field(default="", max_length=40)
    address: str = Field(default="", max_length=500)
    zip: str = Field(default="", max_length=20)
    city: str = Field(default="", max_length=80)
    country: str = Field(default="", max_length=2)
    email: str = Field(default="", max_length=254)
    phone: str = Field(default="", max_length=40)
    delivery: str = Delivery.LINK
    customer_ref: str = Field(default="", max_length=120, description="The partner's name at the payment processor.")
    billed_through: date | None = None


class Subscription(SQLModel, table=True):
    """What billing remembers of a subscribed account. `covered_until` is the first day that no bill covers yet.

    `acts_on` is the next day on which the account has a matter of its own: an annual or separate bill, a change of
    plan, its end. None for monthly accounts on the consolidated bill: their day is the partner's payment day.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        one_of("plan", Plan),
        CheckConstraint("next_plan IN ('monthly', 'annual')", name="next_plan_known"),
        CheckConstraint("covered_until >= started_on AND anchor_on >= started_on", name="begins_first"),
        CheckConstraint("seat_cap > 0", name="seat_cap_positive"),
        Index(None, "partner_id", "acts_on"),
    )

    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    partner_id: int = Field(foreign_key="partner.id")
    plan: str
    started_on: date
    # The day from which the plan's months or years are counted; dates are computed from it, never from the last.
    anchor_on: date
    covered_until: date
    acts_on: date | None = None
    next_plan: str | None = None
    ends: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    # An operator took it off the consolidated bill.
    excluded: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    seat_cap: int | None = None


class Bill(SQLModel, table=True):
    """A bill or a credit note. What it was made with is kept in it: later prices and addresses don't change it.

    `once` is the thing that may be billed once only, such as "monthly:7:2026-12-01"; `settled_minor` is what was
    received or credited. `buyer` and `seller` are the parties as they were.
    """

    __tablename__ = "bill"
    __table_args__ = (
        one_of("kind", BillKind),
        one_of("state", BillState),
        one_of("plan", Plan),
        one_of("method", BillingMethod),
        CheckConstraint("net_minor + tax_minor = total_minor", name="adds_up"),
        CheckConstraint("(kind = 'credit_note') = (total_minor < 0)", name="sign_of_its_kind"),
        CheckConstraint("(kind = 'credit_note') = (credits_id IS NOT NULL)", name="credits_a_bill"),
        CheckConstraint("state <> 'paid' OR settled_minor = total_minor", name="paid_is_settled"),
        CheckConstraint("settled_minor BETWEEN 0 AND total_minor OR kind = 'credit_note'", name="settled_in_range"),
        Index(None, "partner_id", "state", "issued_on", "id"),
        Index(None, "state", "due_on"),
        Index(None, "account_id", "issued_on"),
        Index(None, "partner_id", "issued_on"),
        Index(None, "credits_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    number: int = Field(unique=True, description="Reference number: one series of the deployment, without gaps.")
    once: str = Field(unique=True, max_length=120)
    partner_id: int = Field(foreign_key="partner.id")
    kind: str
    # None for a consolidated bill. No foreign key: the bill outlives the account.
    account_id: int | None = None
    credits_id: int | None = Field(default=None, foreign_key="bill.id")
    plan: str
    method: str
    state: str = BillState.OPEN
    issued_on: date
    effective_on: date
    due_on: date
    currency: str = Field(max_length=3)
    net_minor: int = Field(sa_type=BigInteger)
    tax_minor: int = Field(sa_type=BigInteger)
    total_minor: int = Field(sa_type=BigInteger)
    settled_minor: int = Field(default=0, sa_type=BigInteger)
    tax_bp: int = 0
    reverse_charge: bool = False
    charge_refused: bool = False
    next_charge_on: date | None = Field(default=None, index=True)
    buyer: dict = Field(default_factory=dict, sa_type=JSON)
    seller: dict = Field(default_factory=dict, sa_type=JSON)
    paid_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)


class BillLine(SQLModel, table=True):
    """One line: a service of an account, a minimum, a discount. `trace` says by which usage, price and rule."""

    __tablename__ = "bill_line"
    __table_args__ = (
        CheckConstraint("ends_on > starts_on", name="ends_after_start"),
        Index(None, "account_id"),
    )

    bill_id: int = Field(primary_key=True, foreign_key="bill.id", ondelete="CASCADE")
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    account_id: int
    account_name: str = Field(max_length=120)
    service: str = Field(default="", max_length=40)
    description: str = Field(max_length=200)
    starts_on: date
    ends_on: date
    # In thousandths: 12 mailboxes are 12000, 2.55 GB are 2550.
    quantity_milli: int = Field(default=1000, sa_type=BigInteger)
    unit: str = Field(default="", max_length=20)
    # What one costs for a whole month or year, of which the line's days may be a part (the description and the trace
    # say so); None where the tiers' prices differ (the trace lists them).
    unit_minor: int | None = Field(default=None, sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    trace: dict = Field(default_factory=dict, sa_type=JSON)


class BillShare(SQLModel, table=True):
    """An account's part of a bill, tax included: the shares add up to the bill to the last cent."""

    __tablename__ = "bill_share"
    __table_args__ = (Index(None, "account_id", "bill_id"),)

    bill_id: int = Field(primary_key=True, foreign_key="bill.id", ondelete="CASCADE")
    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    account_name: str = Field(max_length=120)
    account_email: str = Field(max_length=254)
    amount_minor: int = Field(sa_type=BigInteger)


class BilledPeriod(SQLModel, table=True):
    """Days of an account that are done: `bill_id` is None where they came to nothing.

    The key and a trigger forbid to bill a day twice.
    """

    __tablename__ = "billed_period"
    __table_args__ = (CheckConstraint("ends_on > starts_on", name="ends_after_start"),)

    account_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    starts_on: date = Field(primary_key=True)
    ends_on: date
    bill_id: int | None = Field(default=None, foreign_key="bill.id", index=True)


class Counter(SQLModel, table=True):
    """The last number given out of a series; locked by whoever takes the next."""

    __tablename__ = "counter"

    name: str = Field(primary_key=True, max_length=40)
    number: int = Field(default=0, sa_type=BigInteger)
