"""Bills in words: the same on pages, in documents and in mails."""

from datetime import date
from decimal import Decimal

from babel.dates import format_date

from portal_app.models import Bill, BillingMethod, BillKind, BillLine, Plan
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
    return f"{Decimal(basis_points).scaleb(-2).normalize():f}%"


def quantity(line: BillLine) -> Decimal:
    """How many units, without needless zeros: 12 or 2.55."""
    found = Decimal(line.quantity_milli).scaleb(-3).normalize()
    # Not 1E+1.
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


def quantity_text(line: BillLine) -> str:
    """Such as "12 mailboxes", "1 site" or "2.55 GB"; empty for a line that counts nothing."""
    if not line.unit:
        return ""
    found = quantity(line)
    plural = "" if found == 1 or line.unit.isupper() else "es" if line.unit.endswith("x") else "s"
    return f"{found:,f} {line.unit}{plural}"
