"""The operator's finance console: access first, then terms, receipts, credit notes and money back."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.billing import credits, finance, payments, receipts, refunds
from portal_app.billing.credits import CreditForm
from portal_app.billing.default_prices import ensure_price_books
from portal_app.billing.gateways.port import Silent
from portal_app.billing.gateways.sandbox import Sandbox
from portal_app.billing.receipts import ReceiptForm
from portal_app.billing.refunds import RefundForm
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.jobs import runs
from portal_app.models import (
    Account,
    AuditEvent,
    Bill,
    BillingProfile,
    BillingStatus,
    BillLine,
    BillShare,
    BillState,
    Payment,
    Plan,
    Subscription,
)
from tests.billing import factories
from tests.billing.payers import Browser, taken
from tests.cast import Cast

TODAY = str(clock.today())


@pytest.fixture
def olga(cast: Cast) -> Actor:
    return cast.actor("olga")


@pytest.fixture
def bill(cast: Cast) -> Bill:
    """A consolidated invoice of 30.01 and 20 % tax over two accounts."""
    parts = [(cast.accounts_a[1], 1_000), (cast.accounts_a[2], 2_001)]
    return db.write(factories.bill, cast.partner_a, parts, tax_bp=2_000)


def now(bill: Bill) -> Bill:
    return db.read(lambda session: session.get_one(Bill, bill.id))


def receive(olga: Actor, bill: Bill, amount: str, **given: str) -> str:
    return db.write(receipts.record_receipt, olga, replace(ReceiptForm(str(bill.number), amount, TODAY), **given))


def money(bill: Bill) -> list[tuple[str, int]]:
    mine = select(Payment).where(Payment.bill_id == bill.id).order_by(col(Payment.id))
    return db.read(lambda session: [(one.kind, one.amount_minor) for one in session.exec(mine)])


def audited(session: Session, words: str) -> set[int | None]:
    found = session.exec(select(AuditEvent).where(col(AuditEvent.description).contains(words))).all()
    return {one.partner_id for one in found}


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "nina", "dave", "mallory"])
def test_nobody_of_a_partner_comes_in(cast: Cast, bill: Bill, name: str) -> None:
    actor, code, account = cast.actor(name), cast.partner_a.code, cast.accounts_a[1].id
    form = ReceiptForm(str(bill.number), "1", TODAY)
    calls: list[tuple[Any, ...]] = [
        (finance.terms_of, code),
        (finance.set_method, code, "card"),
        (finance.set_annual_together, code, True),
        (finance.subscriptions, code, "", (1, 25)),
        (finance.exclude, account, True),
        (finance.bills, code, (1, 25)),
        (finance.details, bill.number),
        (receipts.recorded,),
        (receipts.record_receipt, form),
        (receipts.record_return, form),
        (credits.credit, bill.number, CreditForm("1", "x")),
        (runs.listed,),
    ]
    for do, *args in calls:
        with pytest.raises(Denied):
            db.write(do, actor, *args)
    for call in (lambda: refunds.refund(actor, bill.number, RefundForm("bank", "1")), lambda: runs.run_again(actor)):
        with pytest.raises(Denied):
            call()
    assert money(bill) == []


def test_the_method_is_changed_later_by_an_operator_only(cast: Cast, olga: Actor) -> None:
    db.write(finance.set_method, olga, "alpha001", "card")
    db.write(finance.set_annual_together, olga, "ALPHA001", True)
    terms = db.read(finance.terms_of, olga, "ALPHA001")
    assert (terms.method, terms.annual_together, terms.book) == ("card", True, "")
    assert db.read(audited, "Billing method: Credit Card") == {None, cast.partner_a.id}
    with pytest.raises(Invalid):
        db.write(finance.set_method, olga, "ALPHA001", "gold")
    with pytest.raises(NotFound):
        db.write(finance.set_method, olga, "NOBODY1", "card")
    assert db.read(lambda s: len(s.exec(select(BillingProfile)).all())) == 1


def test_an_account_apart_acts_on_its_own_day(cast: Cast, olga: Actor) -> None:
    account, day = cast.accounts_a[1], date(2026, 3, 31)
    given = {"started_on": day, "covered_until": date(2026, 4, 30)}
    db.write(lambda s: factories.subscription(s, account, **given))

    def acts_on() -> date | None:
        return db.read(lambda s: s.get_one(Subscription, account.id).acts_on)

    assert db.write(finance.exclude, olga, account.id, True) == account.name
    assert acts_on() == date(2026, 4, 30)
    rows, many = db.read(finance.subscriptions, olga, "ALPHA001", account.name[:7].upper(), (1, 25))
    assert (many, [(row.name, row.plan, row.excluded) for row in rows]) == (1, [(account.name, Plan.MONTHLY, True)])
    db.write(finance.exclude, olga, account.id, False)
    assert acts_on() is None
    assert db.read(audited, "bill of its own") == {None, cast.partner_a.id}
    with pytest.raises(NotFound):
        db.write(finance.exclude, olga, cast.accounts_a[0].id, True)


def test_a_transfer_in_two_parts_pays_a_bill(cast: Cast, olga: Actor, bill: Bill) -> None:
    assert "$26.00 is still open" in receive(olga, bill, "10.01")
    assert now(bill).state == BillState.OPEN
    assert receive(olga, bill, "26").endswith("It is paid.")
    paid = now(bill)
    assert (paid.state, paid.settled_minor, paid.paid_at is not None) == (BillState.PAID, paid.total_minor, True)
    assert sum(amount for _, amount in money(bill)) == paid.total_minor
    states = db.read(lambda s: {s.get_one(Account, a.id).billing_status for a in cast.accounts_a[1:]})
    assert states == {BillingStatus.CURRENT}
    assert db.read(audited, "received by bank transfer") == {None, cast.partner_a.id}
    both = db.read(receipts.recorded, olga)
    assert ([row.amount_minor for row in both.rows], both.total) == ([2600, 1001], 2)
    assert [db.read(receipts.recorded, olga, n, 1).rows for n in (1, 2, 3)] == [both.rows[:1], both.rows[1:], []]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "x"),
        ("number", "99999999"),
        ("number", "١٢"),
        ("amount", "0"),
        ("amount", "-5"),
        ("amount", "36.02"),
        ("amount", "1.005"),
        ("received_on", "yesterday"),
        ("received_on", str(clock.today() + timedelta(days=9))),
        ("note", "x" * 201),
        ("note", "a\tb"),
    ],
)
def test_a_faulty_receipt_is_named_by_its_field(olga: Actor, bill: Bill, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        receive(olga, bill, **{"amount": "1"} | {field: value})
    assert list(refusal.value.fields) == [field]
    assert money(bill) == []


def test_a_paid_bill_takes_no_receipt(cast: Cast, olga: Actor) -> None:
    paid = db.write(factories.bill, cast.partner_a, [(cast.accounts_a[1], 500)], state=BillState.PAID)
    with pytest.raises(Invalid):
        receive(olga, paid, "1")


def credit(olga: Actor, bill: Bill, amount: str, reason: str = "Two seats too many") -> Bill:
    number = db.write(credits.credit, olga, bill.number, CreditForm(amount, reason))
    return db.read(lambda s: s.exec(select(Bill).where(Bill.number == number)).one())


def parts(session: Session, note: Bill) -> tuple[int, int]:
    lines = session.exec(select(BillLine.amount_minor).where(BillLine.bill_id == note.id)).all()
    shares = session.exec(select(BillShare.amount_minor).where(BillShare.bill_id == note.id)).all()
    return sum(lines), sum(shares)


def test_a_credit_note_settles_what_is_open_and_adds_up(cast: Cast, olga: Actor, bill: Bill) -> None:
    note = credit(olga, bill, "10.00")
    assert (note.total_minor, note.net_minor, note.tax_minor) == (-1_000, -833, -167)
    assert db.read(parts, note) == (note.net_minor, note.total_minor)
    assert (note.buyer, note.seller, note.credits_id) == (bill.buyer, bill.seller, bill.id)
    assert (now(bill).state, now(bill).settled_minor) == (BillState.OPEN, 1_000)
    assert db.read(audited, "Two seats too many") == {None, cast.partner_a.id}


def test_credits_in_parts_make_the_whole_bill(olga: Actor, bill: Bill) -> None:
    notes = [credit(olga, bill, amount) for amount in ("0.01", "12.34", "0.02", "23.64")]
    assert sum(one.total_minor for one in notes) == -bill.total_minor
    assert sum(one.tax_minor for one in notes) == -bill.tax_minor
    assert [one.number for one in notes] == list(range(notes[0].number, notes[0].number + 4))
    assert now(bill).state == BillState.CREDITED
    with pytest.raises(Conflict):
        credit(olga, bill, "0.01")


@pytest.mark.parametrize(
    ("amount", "reason", "field"), [("0", "x", "amount"), ("36.02", "x", "amount"), ("1", " ", "reason")]
)
def test_a_faulty_credit_note_is_refused_whole(olga: Actor, bill: Bill, amount: str, reason: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        credit(olga, bill, amount, reason)
    assert list(refusal.value.fields) == [field]
    assert now(bill).settled_minor == 0


def test_a_credit_note_has_none_of_its_own(olga: Actor, bill: Bill) -> None:
    with pytest.raises(Conflict):
        credit(olga, credit(olga, bill, "1"), "1")


def test_what_was_paid_beyond_goes_back_by_transfer(olga: Actor, bill: Bill) -> None:
    receive(olga, bill, "36.01")
    with pytest.raises(Conflict):
        refunds.refund(olga, bill.number, RefundForm("bank", "1", TODAY))
    credit(olga, bill, "6.00")
    assert db.read(finance.details, olga, bill.number).back_minor == 600
    with pytest.raises(Invalid):
        refunds.refund(olga, bill.number, RefundForm("bank", "6.01", TODAY))
    refunds.refund(olga, bill.number, RefundForm("bank", "6", TODAY))
    found = db.read(finance.details, olga, bill.number)
    assert (found.back_minor, found.state, found.creditable_minor) == (0, BillState.PAID, 3_001)
    assert money(bill) == [("bank", 3_601), ("refund", -600)]


def test_bills_of_a_partner_are_its_own(cast: Cast, olga: Actor, bill: Bill) -> None:
    other = db.write(factories.bill, cast.partner_b, [(cast.accounts_b[0], 500)])
    rows, many = db.read(finance.bills, olga, "BETA0001", (1, 25))
    assert (many, [(row.number, row.account_name) for row in rows]) == (1, [(other.number, cast.accounts_b[0].name)])


def test_running_again_says_that_nothing_is_missing(cast: Cast, olga: Actor) -> None:
    runs.run_again(olga)
    assert runs.run_again(olga) == "Done now: partners whose bills wait: 1."
    db.write(ensure_price_books)
    assert runs.run_again(olga) == "Done now: bills issued: 1, accounts billed: 1."
    assert runs.run_again(olga) == "Everything that is due is done already."
    assert [row.day for row in db.read(runs.listed, olga)] == [clock.today()]


def test_the_processor_gives_back_what_came_by_card(cast: Cast, olga: Actor, bill: Bill) -> None:
    pay_by_card(cast, bill)
    credit(olga, bill, "6.00")
    (way, _), _ = refunds.ways(db.read(finance.details, olga, bill.number))
    with pytest.raises(Invalid):
        refunds.refund(olga, bill.number, RefundForm("999", "6"))
    with pytest.raises(Invalid):
        refunds.refund(olga, bill.number, RefundForm(way, "6.01"))
    assert refunds.refund(olga, bill.number, RefundForm(way, "6")).endswith("was given back.")
    assert money(bill) == [("card", 3_601), ("refund", -600)]
    assert taken() == [-600, 3_601]
    with pytest.raises(Conflict):
        refunds.refund(olga, bill.number, RefundForm(way, "1"))


def pay_by_card(cast: Cast, bill: Bill) -> None:
    Browser().use_page(payments.start_checkout(cast.actor("alice"), bill.id or 0))


def test_what_may_be_on_its_way_back_is_not_transferred_too(
    cast: Cast, olga: Actor, bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: Any) -> None:
        raise Silent("no answer")

    pay_by_card(cast, bill)
    credit(olga, bill, "6.00")
    monkeypatch.setattr(Sandbox, "refund", silent)
    (way, _), _ = refunds.ways(db.read(finance.details, olga, bill.number))
    assert "not answered yet" in refunds.refund(olga, bill.number, RefundForm(way, "6"))
    with pytest.raises(Conflict):
        refunds.refund(olga, bill.number, RefundForm("bank", "6", TODAY))
    assert money(bill) == [("card", 3_601)]


def test_of_two_clicks_one_gives_the_money_back(
    cast: Cast, olga: Actor, bill: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payment brought enough for both, but only this much is to be given back."""
    pay_by_card(cast, bill)
    credit(olga, bill, "6.00")
    (way, _), _ = refunds.ways(db.read(finance.details, olga, bill.number))
    write, clicks = db.write, iter([True])

    def click() -> str:
        return refunds.refund(olga, bill.number, RefundForm(way, "6"))

    def write_then_click(do: Any, *args: Any) -> Any:
        found = write(do, *args)
        if do is refunds._begin and next(clicks, False):
            with pytest.raises(Conflict):
                click()
        return found

    monkeypatch.setattr(db, "write", write_then_click)
    click()
    assert money(bill) == [("card", 3_601), ("refund", -600)]
