"""A bill as a table: a line for each customer's service and one for the tax. Their amounts add up to the bill."""

from collections.abc import Iterator
from datetime import timedelta

from portal_app.billing.document_reading import BillDocument
from portal_app.billing.words import percent_text, quantity
from portal_app.csv_out import csv_file
from portal_app.money import major

HEADER = (
    *("Reference Number", "Account Name", "Email", "Service", "From", "To"),
    *("Quantity", "Unit", "Unit Price", "Amount", "Currency"),
)


def csv(document: BillDocument) -> bytes:
    """The file: UTF-8 for spreadsheets, dates as 2026-11-24, amounts with the currency's digits."""
    return csv_file(HEADER, _rows(document))


def _rows(document: BillDocument) -> Iterator[tuple[object, ...]]:
    bill = document.bill
    for line in document.lines:
        last = line.ends_on - timedelta(days=1)
        about = (line.account_name, document.emails.get(line.account_id, ""), line.description, line.starts_on, last)
        price = "" if line.unit_minor is None else major(line.unit_minor, bill.currency)
        amount = major(line.amount_minor, bill.currency)
        yield bill.number, *about, quantity(line), line.unit, price, amount, bill.currency
    if bill.tax_minor:
        tax = f"Tax {percent_text(bill.tax_bp)}"
        yield bill.number, "", "", tax, "", "", "", "", "", major(bill.tax_minor, bill.currency), bill.currency
