"""Bills in words: the same on pages, in documents and in mails."""

from datetime import date
from decimal import Decimal
from typing import Protocol

from babel.dates import format_date

from portal_app.billing import book_text
from portal_app.models import Bill, BillingMethod, BillKind, Plan
from portal_app.money import amount_text

LOCALE = "en"
CONSOLIDATED = "Consolidated bill"
METHODS = {BillingMethod.CARD: "Credit Card", BillingMethod.INVOICE: "Invoice"}
PLANS = {Plan.MONTHLY: "Monthly", Plan.ANNUAL: "Annual"}


def kind_word(bill: Bill) -> str:
    """What the document calls itself."""
    return "Credit note" if bill.kind == BillKind.CREDIT_NOTE else "Invoice"


def date_text(day: date) -> str:
    """Such as "Mar 18, 2026"."""
    return format_date(day, "MMM d, y", locale=LOCALE)


def open_words(amount_minor: int, settled_minor: int, currency: str) -> str:
    """Such as "$26.00 is open", for an open bill of which a part was received; empty for others."""
    return f"{amount_text(amount_minor - settled_minor, currency)} is open" if settled_minor else ""


def percent_text(basis_points: int) -> str:
    """Such as "20%" or "8.5%"."""
    return f"{book_text.percent_text(basis_points)}%"


class Quantity(Protocol):
    """A line that may count something: so many thousandths of a unit."""

    @property
    def quantity_milli(self) -> int: ...

    @property
    def unit(self) -> str: ...


def quantity(line: Quantity) -> Decimal:
    """How many units, without needless zeros: 12 or 2.55."""
    return _units(line.quantity_milli)


def quantity_text(line: Quantity) -> str:
    """Such as "12 mailboxes", "1 site" or "2.55 GB"; empty for a line that counts nothing."""
    return counted(line.quantity_milli, line.unit) if line.unit else ""


def billed_of(billed: int, holds: int | None) -> str:
    """Billed entities, with all that there are where that is more: such as "12 of 15 billed"."""
    return f"{billed:,}" if holds in (None, billed) else f"{billed:,} of {holds:,} billed"


def counted(milli: int, unit: str) -> str:
    """So many thousandths of a unit in words."""
    units = _units(milli)
    plural = "" if units == 1 or unit.isupper() else "es" if unit.endswith("x") else "s"
    return f"{units:,f} {unit}{plural}"


def _units(milli: int) -> Decimal:
    found = Decimal(milli).scaleb(-3).normalize()
    # Not 1E+1.
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found
