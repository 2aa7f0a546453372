"""Bills in words: the same on pages, in documents and in mails."""

from datetime import date

from babel.dates import format_date

from portal_app.models import Bill, BillKind

LOCALE = "en"
CONSOLIDATED = "Consolidated bill"


def kind_word(bill: Bill) -> str:
    """What the document calls itself."""
    return "Credit note" if bill.kind == BillKind.CREDIT_NOTE else "Invoice"


def date_text(day: date) -> str:
    """Such as "Mar 18, 2026"."""
    return format_date(day, "MMM d, y", locale=LOCALE)
