"""All that an operator's page may see of a partner's money."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class PartnerTerms:
    """How a partner is billed. `method` is empty until it is chosen."""

    code: str
    name: str
    currency: str
    method: str
    payment_day: int
    annual_together: bool
    billed_through: date | None
    book: str
    book_from: date | None


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscribed account, and whether it is billed apart from the consolidated bill."""

    account_id: int
    name: str
    email: str
    plan: str
    covered_until: date
    excluded: bool


@dataclass(frozen=True, slots=True)
class BillEntry:
    """A bill or credit note in a partner's list. `status` is one of BillingStatus."""

    number: int
    kind: str
    account_name: str
    status: str
    issued_on: date
    due_on: date
    total_minor: int
    open_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money that came in for a bill; negative where it went back."""

    id: int
    kind: str
    amount_minor: int
    received_on: date
    note: str


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A credit note of a bill."""

    number: int
    issued_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class BillDetails:
    """A bill with its money. `creditable_minor` is what no credit note has taken yet; `back_minor` what was received

    beyond what is left of the bill: it is to be given back.
    """

    number: int
    id: int
    kind: str
    credits_number: int
    partner: str
    partner_name: str
    account_name: str
    method: str
    state: str
    issued_on: date
    due_on: date
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    settled_minor: int
    creditable_minor: int
    back_minor: int
    under_way: bool
    payments: list[PaymentRow]
    notes: list[NoteRow]


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A recorded bank transfer."""

    id: int
    bill_number: int
    partner: str
    amount_minor: int
    currency: str
    received_on: date
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """A page of transfers, and how many there are."""

    rows: list[ReceiptRow]
    total: int
