"""Whether everything says the same of a partner's money, to the last minor unit.

What is expected is added up here from the rows of bills, shares and payments; beside it stand the pages' services, the
documents, the mail and the processor's own books.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from lxml import etree
from pypdf import PdfReader
from sqlmodel import SQLModel, select

from portal_app import clock, db
from portal_app.accounts import service as accounts
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor
from portal_app.billing import (
    account_bills,
    bill_csv,
    billed,
    bills,
    document_reading,
    documents,
    facturx,
    finance,
    reconcile,
    standing,
)
from portal_app.billing import service as billing
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.billing.bill_rows import BillRow, Owed
from portal_app.billing.dunning import REMINDERS
from portal_app.mail.outbox import letter_of
from portal_app.models import (
    TRIALS,
    Account,
    AttemptKind,
    AttemptState,
    Bill,
    BillKind,
    BillLine,
    BillShare,
    BillState,
    OutboxMail,
    Payment,
    PaymentAttempt,
)
from portal_app.money import amount_text, major
from tests.billing.einvoices import carried, faults
from tests.billing.year import Company

_TAKEN_BY_PROCESSOR = {"card", "paypal"}
_WORST = {0: "current", 1: "due", 2: "overdue"}


def rows(model: type[SQLModel]) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model).order_by(*model.__table__.primary_key))))


@dataclass
class Books:
    """The rows of a moment, by bill."""

    bills: list[Bill] = field(default_factory=lambda: rows(Bill))
    accounts: list[Account] = field(default_factory=lambda: rows(Account))
    attempts: list[PaymentAttempt] = field(default_factory=lambda: rows(PaymentAttempt))

    def __post_init__(self) -> None:
        self.lines, self.shares, self.payments = (_by_bill(model) for model in (BillLine, BillShare, Payment))

    def of(self, company: Company) -> list[Bill]:
        return [bill for bill in self.bills if bill.partner_id == company.partner_id]

    def rest(self, bill: Bill, of: set[int] | None = None) -> int:
        """What is still to be paid of an open bill, by what came in for it; or the part of chosen accounts in that."""
        rest = bill.total_minor - sum(one.amount_minor for one in self.payments[bill.id])
        return (
            rest if of is None else sum(part for account_id, part in self.open_parts(bill).items() if account_id in of)
        )

    def open_parts(self, bill: Bill) -> dict[int, int]:
        """What each account owes of an open bill: together the rest, each one's part as near as a minor unit can be."""
        rest = self.rest(bill)
        settled = db.read(standing.settled_parts, [bill.id])[bill.id]
        parts = {one.account_id: one.amount_minor - settled[one.account_id] for one in self.shares[bill.id]}
        assert sum(parts.values()) == rest
        for one in self.shares[bill.id]:
            assert abs(parts[one.account_id] * bill.total_minor - one.amount_minor * rest) < bill.total_minor
        return parts

    def parts(self, bill: Bill, of: set[int] | None = None) -> int:
        """The part of chosen accounts in the bill's total."""
        return sum(one.amount_minor for one in self.shares[bill.id] if of is None or one.account_id in of)


def _by_bill(model: Any) -> dict[int | None, list[Any]]:
    found: dict[int | None, list[Any]] = defaultdict(list)
    for row in rows(model):
        found[row.bill_id].append(row)
    return found


def check_rows(books: Books) -> None:
    """Each bill against its lines, shares, payments and credit notes; numbers without a gap."""
    assert [bill.number for bill in sorted(books.bills, key=lambda one: one.number)] == [
        *range(1, len(books.bills) + 1)
    ]
    credited = Counter[int | None]()
    for bill in books.bills:
        credited[bill.credits_id] -= bill.total_minor
    for bill in books.bills:
        assert sum(line.amount_minor for line in books.lines[bill.id]) == bill.net_minor
        assert books.parts(bill) == bill.total_minor == bill.net_minor + bill.tax_minor
        if bill.kind != BillKind.CREDIT_NOTE:
            _check_money(books, bill, credited[bill.id])


def _check_money(books: Books, bill: Bill, credited: int) -> None:
    """What was settled came in or was credited; what came in and is not kept went back."""
    sums = Counter[str]()
    for one in books.payments[bill.id]:
        sums[one.kind] += one.amount_minor
    came = sums["card"] + sums["paypal"] + sums["bank"]
    assert bill.settled_minor == sums["credit"] + came <= bill.total_minor
    assert 0 <= sums["credit"] <= credited <= bill.total_minor
    assert (bill.state == BillState.CREDITED) == (credited == bill.total_minor)
    if bill.state == BillState.PAID:
        assert bill.settled_minor == bill.total_minor
    # At most what was credited after it was paid.
    assert -sums["refund"] <= max(0, came - (bill.total_minor - credited))


def check_processor(books: Books, ledger: Sequence[dict[str, Any]]) -> None:
    """The processor's own books and ours name the same movements: one for each attempt that succeeded."""
    signs = {AttemptKind.REFUND: -1}
    ours = sorted(
        (one.key, signs.get(AttemptKind(one.kind), 1) * one.amount_minor, one.currency)
        for one in books.attempts
        if one.state == AttemptState.SUCCEEDED
    )
    assert sorted((row["key"], row["amount"], row["currency"]) for row in ledger) == ours
    booked = {one.attempt_id: one.amount_minor for each in books.payments.values() for one in each if one.attempt_id}
    assert sorted(booked.values()) == sorted(amount for _, amount, _ in ours)
    captures = Counter(one.bill_id for one in books.attempts if one.state == "succeeded" and one.kind != "refund")
    assert set(captures.values()) <= {1}


def check_pages(books: Books, company: Company) -> None:
    """Status, History, Unpaid Bills, the accounts' pages and the chart, for an administrator and for a clerk."""
    today = clock.day_in(company.zone)
    mine = books.of(company)
    seen = db.read(lambda s: {row.id for row in accounts.list_page(s, company.clerk, AccountQuery(size=100)).rows})
    for actor, of in ((company.actor, None), (company.clerk, seen)):
        visible = [bill for bill in mine if of is None or books.parts(bill, of) or _shared(books, bill, of)]
        _check_lists(books, actor, visible, of)
        _check_owed(books, actor, visible, of, today)
        months = Counter[date]()
        for bill in visible:
            months[bill.issued_on.replace(day=1)] += books.parts(bill, of)
        for month in db.read(billed.billed_per_month, actor):
            assert month.amount_minor == months[month.first]
    _check_accounts(books, company, today)


def _shared(books: Books, bill: Bill, of: set[int]) -> bool:
    return any(one.account_id in of for one in books.shares[bill.id])


def _check_lists(books: Books, actor: Actor, visible: list[Bill], of: set[int] | None) -> None:
    wanted: dict[BillList, dict[int, tuple[int, int]]] = {which: {} for which in BillList}
    for bill in visible:
        is_open = bill.state == BillState.OPEN
        whole = of is None or {one.account_id for one in books.shares[bill.id]} <= of
        rest = books.rest(bill) if is_open and whole else 0
        wanted[BillList.UNPAID if is_open else BillList.HISTORY][bill.number] = (books.parts(bill, of), rest)
    for which, found in wanted.items():
        assert {row.number: (row.amount_minor, row.open_minor) for row in _listed(actor, which)} == found


def _listed(actor: Actor, which: BillList) -> list[BillRow]:
    found: list[BillRow] = []
    while True:
        query = BillQuery(which, page=len(found) // 100 + 1, size=100)
        page = db.read(bills.list_page, actor, query)
        found += page.rows
        if len(found) >= page.matching:
            return found


def _check_owed(books: Books, actor: Actor, visible: list[Bill], of: set[int] | None, today: date) -> None:
    open_now = [bill for bill in visible if bill.state == BillState.OPEN]
    late = [bill for bill in open_now if bill.due_on < today or bill.charge_refused]
    found: Owed = db.read(bills.owed, actor)
    assert (found.overdue, found.due) == (len(late), len(open_now) - len(late))
    assert found.refused == sum(bill.charge_refused for bill in open_now)
    assert found.invoices == sum(bill.method == "invoice" for bill in open_now)
    page = db.read(billing.status_page, actor, AccountQuery(size=100))
    assert page.due_minor == found.due_minor + found.overdue_minor
    assert found.overdue_minor == sum(books.rest(bill, of) for bill in late)
    assert page.due_minor == sum(books.rest(bill, of) for bill in open_now)


def _check_accounts(books: Books, company: Company, today: date) -> None:
    owes, worst = Counter[int](), Counter[int]()
    for bill in books.of(company):
        is_open = bill.state == BillState.OPEN
        owes.update(books.open_parts(bill) if is_open else {})
        for share in books.shares[bill.id]:
            late = is_open and (bill.due_on < today or bill.charge_refused)
            worst[share.account_id] = max(worst[share.account_id], 2 if late else int(is_open))
            owes[share.account_id] += 0
    page = db.read(billing.status_page, company.actor, AccountQuery(size=100))
    left = sum(owes.values())
    for row in page.rows:
        if row.status in TRIALS:
            assert (row.billing_status, row.amount_minor) == ("none", 0)
            continue
        known = row.id in owes
        assert row.billing_status == (_WORST[worst[row.id]] if known else "none"), row
        assert row.amount_minor == owes[row.id], row
        left -= row.amount_minor
        if row.id % 4 == today.month % 4:
            _check_account(books, company, row.id)
    # What is owed for accounts that are trials again, or gone.
    living = {account.id for account in books.accounts if account.status not in TRIALS}
    assert left == sum(amount for account_id, amount in owes.items() if account_id not in living)
    assert page.due_minor == sum(owes.values())


def _check_account(books: Books, company: Company, account_id: int) -> None:
    found = db.read(account_bills.account_page, company.actor, account_id)
    shares = {
        bill.number: share.amount_minor
        for bill in books.of(company)
        for share in books.shares[bill.id]
        if share.account_id == account_id
    }
    assert {one.number: one.amount_minor for one in found.bills} == shares
    paid = {bill.id for bill in books.of(company) if bill.state == BillState.PAID and bill.kind != BillKind.CREDIT_NOTE}
    kept = [bill for bill in books.of(company) if bill.id in paid or bill.credits_id in paid]
    assert found.paid.amount_minor == sum(books.parts(bill, {account_id}) for bill in kept)
    if found.bill:
        bill = next(bill for bill in books.of(company) if bill.number == found.bill.number)
        own = sum(line.amount_minor for line in books.lines[bill.id] if line.account_id == account_id)
        assert sum(line.amount_minor for line in found.lines) == own


def check_operator(books: Books, olga: Actor, company: Company) -> None:
    """What the provider sees of each bill, and the reconciliation's own verdict."""
    found = db.read(reconcile.faults, olga, company.partner_id)
    assert not found, found
    for bill in books.of(company):
        found = db.read(finance.details, olga, bill.number)
        assert (found.total_minor, found.settled_minor) == (bill.total_minor, bill.settled_minor)
        assert [one.amount_minor for one in found.payments] == [one.amount_minor for one in books.payments[bill.id]]


def check_documents(books: Books, made: Iterable[Bill], *, by_the_rules: set[str]) -> None:
    """PDF, its e-invoice and CSV. One e-invoice of each kind and currency also passes the official rules."""
    for bill in made:
        document = db.read(document_reading.of_bill, bill)
        _check_csv(bill, bill_csv.csv(document))
        pdf = documents.pdf(document)
        words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
        assert " ".join(amount_text(bill.total_minor, bill.currency).split()) in words
        assert str(bill.number) in words
        if facturx.xml(document) is None:
            assert bill.currency == "KWD"
            continue
        _check_e_invoice(books, bill, carried(pdf))
        about = f"{bill.kind} {bill.currency}"
        if about not in by_the_rules:
            assert faults(carried(pdf)) == []
            by_the_rules.add(about)


def _check_csv(bill: Bill, file: bytes) -> None:
    table = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
    assert {row["Reference Number"] for row in table} == {str(bill.number)}
    assert sum(Decimal(row["Amount"]) for row in table) == major(bill.total_minor, bill.currency)


def _check_e_invoice(books: Books, bill: Bill, xml: bytes) -> None:
    sign = -1 if bill.kind == BillKind.CREDIT_NOTE else 1
    found = {name: _amounts(xml, name) for name in ("GrandTotalAmount", "TaxBasisTotalAmount", "TaxTotalAmount")}
    wanted = {"GrandTotalAmount": bill.total_minor, "TaxBasisTotalAmount": bill.net_minor}
    for name, minor in wanted.items():
        assert found[name] == [sign * major(minor, bill.currency)], (bill.number, name)
    assert sum(found["TaxTotalAmount"]) == sign * major(bill.tax_minor, bill.currency)
    # The last one is the sum of those of the lines.
    *lines, total = _amounts(xml, "LineTotalAmount")
    assert len(lines) == len(books.lines[bill.id])
    assert sum(lines) <= total + sum(map(abs, lines))


def _amounts(xml: bytes, name: str) -> list[Decimal]:
    return [Decimal(one.text or "0") for one in etree.fromstring(xml).iter(f"{{*}}{name}")]


def check_mails(books: Books, companies: Sequence[Company], since: datetime) -> Counter[str]:
    """The outbox since an instant: each bill, receipt, refusal and reminder with its right amount; how many of each."""
    mails = [mail for mail in rows(OutboxMail) if mail.queued_at > since and mail.partner_id is not None]
    by_once = {mail.once: mail for mail in mails if mail.once}
    bills_of, currencies = {bill.id: bill for bill in books.bills}, {one.partner_id: one for one in companies}
    for bill in books.bills:
        if bill.created_at > since:
            letter = _letter(by_once[f"bill:{bill.id}"])
            assert amount_text(abs(bill.total_minor), bill.currency) in letter
            attached = bool(letter_of(by_once[f"bill:{bill.id}"]).attachments)  # pyright: ignore
            assert attached == (currencies[bill.partner_id].delivery == "attachment")
    receipts = {
        f"receipt:{one.key}:0": one for one in books.attempts if one.state == "succeeded" and one.kind != "refund"
    }
    for once, attempt in receipts.items():
        if once in by_once:
            assert amount_text(attempt.amount_minor, attempt.currency) in _letter(by_once[once])
    told = Counter(mail.kind for mail in mails)
    assert {once for once in by_once if once.startswith("receipt:")} == {
        once for once, one in receipts.items() if one.id in _booked(books, since)
    }
    for once, mail in by_once.items():
        kind, _, rest = once.partition(":")
        if kind in {"reminder", "refused"}:
            assert _says_a_rest(books, bills_of[int(rest.split(":")[0])], mail), once
    return told


def _booked(books: Books, since: datetime) -> set[int]:
    """The attempts whose receipt was queued since."""
    return {one.id or 0 for one in books.attempts if one.finished_at and one.finished_at > since}


def _says_a_rest(books: Books, bill: Bill, mail: OutboxMail) -> bool:
    """Whether the letter names what was open on that day, before or after what came on it."""
    rest, rests = bill.total_minor, []
    for one in sorted(books.payments[bill.id], key=lambda one: one.created_at):
        if one.created_at > mail.queued_at - timedelta(days=1):
            rests.append(rest)
        if one.created_at > mail.queued_at:
            break
        rest -= one.amount_minor
    return any(amount_text(each, bill.currency) in _letter(mail) for each in [*rests, rest])


def _letter(mail: OutboxMail) -> str:
    letter = letter_of(mail)
    assert letter is not None, mail.subject
    return " ".join(letter.paragraphs)


def check_reminders(books: Books, companies: Sequence[Company], until: date) -> int:
    """Every invoice that was open on one of its days was reminded of, and none that was not; how many."""
    zones = {one.partner_id: one.zone for one in companies}
    found = {mail.once for mail in rows(OutboxMail) if mail.once and mail.once.startswith("reminder:")}
    sure: set[str] = set()
    perhaps: set[str] = set()
    for bill in books.bills:
        if bill.method != "invoice" or bill.kind == BillKind.CREDIT_NOTE:
            continue
        ended = _ended_on(books, bill, zones[bill.partner_id])
        for day in (bill.due_on + timedelta(days=days) for days in REMINDERS):
            once = f"reminder:{bill.id}:{day}:0"
            if bill.issued_on < day <= until and (ended is None or day <= ended):
                (perhaps if day == ended else sure).add(once)
    assert sure <= found <= sure | perhaps
    return len(found)


def _ended_on(books: Books, bill: Bill, zone: str) -> date | None:
    """The day on which the last of it was settled."""
    if bill.state == BillState.OPEN:
        return None
    settled = [one.created_at for one in books.payments[bill.id] if one.kind != "refund"]
    notes = [one.created_at for one in books.bills if one.credits_id == bill.id]
    return clock.day_in(zone, max(settled or notes))
