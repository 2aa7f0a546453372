"""A bill as PDF/A-3, and as a Factur-X e-invoice where its data allow one."""

import logging
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal_app import pdf as pdfs
from portal_app.billing import facturx
from portal_app.billing.document_reading import BillDocument
from portal_app.billing.parties import takes_transfer
from portal_app.billing.pricing import LABELS, MINIMUM
from portal_app.billing.tax_ids import countries
from portal_app.billing.words import date_text, kind_word, percent_text, quantity_text
from portal_app.brand import brand
from portal_app.later import Later
from portal_app.models import Bill, BillingMethod, BillKind, BillLine, BillState
from portal_app.money import amount_text

if TYPE_CHECKING:
    import facturx as factur_x
else:
    factur_x = Later("facturx")

# More lines than anybody reads: each account is then one line, or each service; the CSV has the rest.
MOST_LINES = 500
_TEMPLATE = Path(__file__).parent / "templates" / "bill.typ"
logging.getLogger("factur-x").setLevel(logging.WARNING)


def pdf(document: BillDocument) -> bytes:
    """The bill as a PDF. CPU-bound: tens of milliseconds, 0.3 s at most."""
    details = len(document.lines) if len(document.lines) > MOST_LINES else 0
    if details:
        document = replace(document, lines=_fewer(document.lines))
    plain = pdfs.archived(_TEMPLATE, _shown(document, details))
    data = facturx.xml(document)
    return _with_data(plain, data, document.bill) if data else plain


def _with_data(plain: bytes, data: bytes, bill: Bill) -> bytes:
    title = f"{kind_word(bill)} {bill.number}"
    about = {"author": bill.seller["name"], "keywords": "Factur-X", "title": title, "subject": title}
    return factur_x.generate_from_binary(
        plain,
        data,
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        pdf_metadata=about,
        lang="en",
        afrelationship="alternative",
    )


def _fewer(lines: list[BillLine]) -> list[BillLine]:
    """One line for each account or service, in the PDF as in its data: the two must say the same."""
    accounts = [list(found) for _, found in groupby(lines, key=lambda line: line.account_id)]
    if len(accounts) <= MOST_LINES:
        return [_sum(found, found[0].account_name) for found in accounts]
    services: dict[str, list[BillLine]] = {}
    for line in lines:
        services.setdefault(LABELS.get(line.service, MINIMUM), []).append(line)
    return [_sum(found, service, f"{len(accounts):,} accounts") for service, found in sorted(services.items())]


def _sum(lines: list[BillLine], what: str, whose: str = "") -> BillLine:
    first = lines[0]
    return BillLine(
        bill_id=first.bill_id,
        position=first.position,
        account_id=0 if whose else first.account_id,
        account_name=whose or first.account_name,
        description=what,
        starts_on=min(line.starts_on for line in lines),
        ends_on=max(line.ends_on for line in lines),
        amount_minor=sum(line.amount_minor for line in lines),
    )


def _shown(document: BillDocument, details: int) -> dict[str, Any]:
    """What the template shows; `details` is how many lines the CSV has, if those are not shown."""
    bill = document.bill
    return {
        "title": f"{kind_word(bill)} {bill.number}",
        "accent": brand().light.text,
        "logo": brand().logo.svg if brand().has_own_logo else "",
        "logo_alone": brand().hides_name,
        "issued_on": f"{bill.issued_on:%Y-%m-%d}",
        "seller": {"name": bill.seller.get("name", ""), "lines": _address(bill.seller, bill.seller.get("name", ""))},
        "buyer": {"lines": _address(bill.buyer, bill.buyer.get("company", ""), bill.buyer.get("person", ""))},
        "facts": _facts(document),
        "rows": _rows(document, with_heads=not details),
        "sums": _sums(bill),
        "total": ["Credited" if bill.kind == BillKind.CREDIT_NOTE else "Total", _amount(bill.total_minor, bill)],
        "notes": _notes(bill, details),
        "bank": _bank(bill),
        "footer": _footer(bill.seller),
    }


def _address(party: dict[str, str], *names: str) -> list[str]:
    place = " ".join(filter(None, (party.get("zip"), party.get("city"))))
    country = countries().get(party.get("country", ""), party.get("country", ""))
    tax_id = f"Tax id {party['tax_id']}" if party.get("tax_id") else ""
    return list(filter(None, (*names, *party.get("address", "").splitlines(), place, country, tax_id)))


def _facts(document: BillDocument) -> list[tuple[str, str]]:
    bill = document.bill
    facts = [("Reference number", str(bill.number)), ("Issue date", date_text(bill.issued_on))]
    if document.credited:
        facts.append(("Credits invoice", str(document.credited.number)))
    else:
        facts += [("Effective date", date_text(bill.effective_on)), ("Due date", date_text(bill.due_on))]
    facts.append(("Subscription", bill.plan.capitalize()))
    if code := bill.buyer.get("code"):
        facts.append(("Partner ID", code))
    return facts


def _rows(document: BillDocument, *, with_heads: bool) -> list[tuple[str, ...]]:
    """Heads of one cell, the account, and lines of five: what, small print, quantity, price, amount."""
    found: list[tuple[str, ...]] = []
    for _, lines in groupby(document.lines, key=lambda line: line.account_id):
        rows = [(line.account_name, _row(line, document.bill)) for line in lines]
        found += [(rows[0][0],)] if with_heads else []
        found += [row for _, row in rows]
    return found


def _row(line: BillLine, bill: Bill) -> tuple[str, ...]:
    period = f"{date_text(line.starts_on)} \u2013 {date_text(line.ends_on - timedelta(days=1))}"
    price = "" if line.unit_minor is None else _amount(line.unit_minor, bill)
    return line.description, period, quantity_text(line), price, _amount(line.amount_minor, bill)


def _sums(bill: Bill) -> list[tuple[str, str]]:
    tax = f"Tax {percent_text(bill.tax_bp)}"
    return [("Net", _amount(bill.net_minor, bill)), (tax, _amount(bill.tax_minor, bill))]


def _notes(bill: Bill, details: int) -> list[str]:
    csv = f"The {details:,} lines of this bill are in its CSV." if details else ""
    return list(filter(None, (facturx.exemption(bill), csv, _how_to_pay(bill))))


def _how_to_pay(bill: Bill) -> str:
    if bill.kind == BillKind.CREDIT_NOTE:
        return ""
    if bill.state != BillState.OPEN:
        return "Paid. Thank you." if bill.state == BillState.PAID else "Credited: there is nothing to pay."
    if bill.method == BillingMethod.CARD:
        return "This amount is charged to your card."
    return f"Please pay by {date_text(bill.due_on)}, by card or PayPal, in Billing > Unpaid Bills of the portal."


def _bank(bill: Bill) -> list[tuple[str, str]]:
    if not takes_transfer(bill) or bill.state != BillState.OPEN:
        return []
    given = (("Account holder", "name"), ("Bank", "bank"), ("IBAN", "iban"), ("BIC", "bic"))
    facts = [(label, bill.seller.get(name, "")) for label, name in given]
    return [*((label, value) for label, value in facts if value), ("Reference", str(bill.number))]


def _footer(seller: dict[str, str]) -> list[str]:
    return [seller[name] for name in ("name", "registration", "email", "phone") if seller.get(name)]


def _amount(minor: int, bill: Bill) -> str:
    return amount_text(minor, bill.currency)
