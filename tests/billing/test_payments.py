"""Paying a bill on the processor's page, and charging the stored card: access first, then the money."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from portal_app import clock, db
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, system
from portal_app.billing import payments
from portal_app.errors import Conflict, Denied, Invalid, NotFound, PortalError
from portal_app.models import (
    Account,
    AttemptState,
    AuditEvent,
    Bill,
    BillingStatus,
    BillState,
    OutboxMail,
    Payment,
)
from tests import factories as people
from tests.billing import factories
from tests.billing.payers import (
    ANSWER_LOST,
    DECLINED,
    GOOD,
    NEEDS_OWNER,
    OWN,
    Browser,
    attempts,
    bill_now,
    give_back,
    received,
    store_card,
    taken,
)
from tests.cast import Cast


@pytest.fixture
def alice(cast: Cast) -> Actor:
    return cast.actor("alice")


@pytest.fixture
def shared(cast: Cast) -> Bill:
    """A consolidated invoice of 30.00 over two accounts."""
    parts = [(cast.accounts_a[1], 1_000), (cast.accounts_a[2], 2_000)]
    return db.write(factories.bill, cast.partner_a, parts)


@pytest.fixture
def card_bill(cast: Cast) -> Bill:
    """A bill to be charged today."""
    return db.write(_card_bill, cast)


def _card_bill(session: Any, cast: Cast, **given: Any) -> Bill:
    today = clock.today()
    values = {"method": "card", "due_on": today, "next_charge_on": today}
    return factories.bill(session, cast.partner_a, [(cast.accounts_a[1], 1_000)], **values | given)


def _mails(kind: str) -> list[str]:
    mine = select(OutboxMail.subject).where(col(OutboxMail.kind) == kind).order_by(col(OutboxMail.id))
    return db.read(lambda session: list(session.exec(mine)))


def _account(of: Account) -> Account:
    return db.read(lambda session: session.get_one(Account, of.id))


@pytest.mark.parametrize("who", ["nina", "dave", "mallory", "olga", "bob"])
def test_who_may_not_pay_gets_no_page(who: str, cast: Cast, shared: Bill) -> None:
    with pytest.raises((Denied, NotFound)):
        payments.start_checkout(cast.actor(who), shared.id or 0)
    assert attempts(shared) == []


def test_a_stranger_s_bill_is_as_unknown_as_none(cast: Cast, shared: Bill) -> None:
    said = set()
    for number in (shared.id or 0, 999_999):
        with pytest.raises(NotFound) as refusal:
            payments.start_checkout(cast.actor("mallory"), number)
        said.add(refusal.value.sentence)
    assert len(said) == 1


def test_who_has_chosen_accounts_pays_only_what_is_all_theirs(cast: Cast, shared: Bill) -> None:
    def limit(session: Any) -> Actor:
        carol = session.merge(cast.carol)
        people.give_accounts(session, carol, cast.accounts_a[1])
        return people.actor(carol)

    carol = db.write(limit)
    with pytest.raises(NotFound):
        payments.start_checkout(carol, shared.id or 0)
    own = db.write(factories.bill, cast.partner_a, [(cast.accounts_a[1], 500)])
    assert payments.start_checkout(carol, own.id or 0)


@pytest.mark.parametrize(("way", "kind"), [("card", "card"), ("paypal", "paypal")])
def test_a_bill_is_paid_on_the_hosted_page(way: str, kind: str, cast: Cast, alice: Actor, shared: Bill) -> None:
    browser = Browser(cast.alice)
    url = payments.start_checkout(alice, shared.id or 0)
    page = browser.ask("GET", url)
    assert f"Invoice {shared.number}" in page.text
    assert "$30.00" in page.text
    back = browser.use_page(url, way=way)
    assert back.status_code == 303
    result = browser.ask("GET", back.headers["location"])
    key = attempts(shared)[0].key
    assert result.headers["location"] == f"/billing/result?attempt={key}"
    assert (bill_now(shared).state, bill_now(shared).settled_minor) == (BillState.PAID, 3_000)
    assert received(shared) == [(kind, 3_000)]
    assert taken() == [3_000]
    shown = db.read(payments.result_of, alice, key)
    assert (shown.state, shown.amount, shown.bill_number) == (AttemptState.SUCCEEDED, "$30.00", shared.number)
    assert _account(cast.accounts_a[1]).billing_status == BillingStatus.CURRENT
    assert _mails("receipt") == [f"Receipt for invoice {shared.number}"]


def test_a_second_click_a_second_tab_and_a_reload_take_the_money_once(alice: Actor, shared: Bill, cast: Cast) -> None:
    first, second = (payments.start_checkout(alice, shared.id or 0) for _ in range(2))
    assert first == second
    browser = Browser(cast.alice)
    assert browser.use_page(first).status_code == 303
    assert "done already" in browser.use_page(first).text
    with pytest.raises(Conflict, match="paid already"):
        payments.start_checkout(alice, shared.id or 0)
    assert taken() == [3_000]


def test_a_declined_card_leaves_the_page_open_for_another(alice: Actor, shared: Bill) -> None:
    url, browser = payments.start_checkout(alice, shared.id or 0), Browser()
    declined = browser.use_page(url, DECLINED)
    assert declined.status_code == 422
    assert "The card was declined." in declined.text
    assert DECLINED not in declined.text.replace(" ", "").replace("4000000000000002</dt>", "")
    assert "one of the test cards" in browser.use_page(url, "4111111111111111").text
    assert browser.use_page(url, GOOD).status_code == 303
    assert taken() == [3_000]


def test_a_page_that_nobody_used_gives_way_to_a_new_one(
    alice: Actor, shared: Bill, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = payments.start_checkout(alice, shared.id or 0)
    later = clock.now() + timedelta(hours=23, minutes=30)
    monkeypatch.setattr(clock, "now", lambda: later)
    new = payments.start_checkout(alice, shared.id or 0)
    assert new != old
    assert "expired" in Browser().ask("GET", old).text
    assert [one.state for one in attempts(shared)] == [AttemptState.CANCELED, AttemptState.STARTED]


def test_the_result_is_the_partner_s_own(cast: Cast, alice: Actor, shared: Bill) -> None:
    payments.start_checkout(alice, shared.id or 0)
    key = attempts(shared)[0].key
    assert db.read(payments.result_of, alice, key).state == AttemptState.STARTED
    for who in ("mallory", "bob", "dave"):
        with pytest.raises(PortalError):
            db.read(payments.result_of, cast.actor(who), key)


def test_the_way_out_leads_to_the_processor_only(cast: Cast, alice: Actor, shared: Bill) -> None:
    url, browser = payments.start_checkout(alice, shared.id or 0), Browser(cast.alice)
    out = browser.ask("POST", "/billing/leave", OWN, data={"url": url})
    assert f'content="0; url={url}"' in out.text
    assert out.headers["content-security-policy"].startswith("default-src 'none'")
    elsewhere = browser.ask("POST", "/billing/leave", OWN, data={"url": "https://elsewhere.example/pay/1"})
    assert elsewhere.headers["location"] == "/billing/unpaid"
    assert browser.ask("POST", "/billing/leave", data={"url": url}).status_code == 403
    assert Browser().ask("POST", "/billing/leave", OWN, data={"url": url}).headers["location"] == "/login"


def test_the_hosted_page_runs_no_script_and_sends_its_form_to_itself(alice: Actor, shared: Bill) -> None:
    page = Browser().ask("GET", payments.start_checkout(alice, shared.id or 0))
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self';" in policy
    assert "<script" not in page.text


def test_a_card_bill_is_charged_on_its_day(cast: Cast, alice: Actor, card_bill: Bill) -> None:
    store_card(alice)
    tomorrow = clock.today() + timedelta(days=1)
    ahead = db.write(_card_bill, cast, next_charge_on=tomorrow)
    assert payments.charge_due(clock.now()) == 1
    assert bill_now(card_bill).state == BillState.PAID
    assert bill_now(ahead).state == BillState.OPEN
    assert payments.charge_due(clock.now()) == 0
    assert taken() == [1_000]


def test_the_day_is_the_partner_s_own(cast: Cast, alice: Actor) -> None:
    """At noon in UTC it is tomorrow already in Auckland."""

    def move(session: Any) -> None:
        session.merge(cast.partner_a).time_zone = "Pacific/Auckland"

    store_card(alice)
    db.write(move)
    noon = clock.now().replace(hour=12)
    bill = db.write(_card_bill, cast, next_charge_on=noon.date() + timedelta(days=1))
    assert payments.charge_due(noon - timedelta(hours=3)) == 0
    assert payments.charge_due(noon) == 1
    assert bill_now(bill).state == BillState.PAID


def test_a_refused_charge_is_overdue_at_once_tried_on_days_1_3_5_7_and_written_about(
    cast: Cast, alice: Actor, card_bill: Bill
) -> None:
    store_card(alice, NEEDS_OWNER)
    tries = []
    for day in range(10):
        if payments.charge_due(clock.now() + timedelta(days=day)):
            tries.append(day)
            assert bill_now(card_bill).charge_refused
    assert tries == [0, 1, 3, 5, 7]
    assert bill_now(card_bill).next_charge_on is None
    assert _account(cast.accounts_a[1]).billing_status == BillingStatus.OVERDUE
    assert len(_mails("card refused")) == 5
    assert {one.reason for one in attempts(card_bill)} == {"The card was declined: the bank wants to ask its owner."}
    assert taken() == []


def test_a_new_card_pays_what_the_old_one_could_not(cast: Cast, alice: Actor, card_bill: Bill) -> None:
    store_card(alice, NEEDS_OWNER)
    payments.charge_due(clock.now())
    assert payments.charge_due(clock.now()) == 0
    store_card(alice, GOOD)
    assert payments.charge_due(clock.now()) == 1
    assert (bill_now(card_bill).state, bill_now(card_bill).charge_refused) == (BillState.PAID, False)


def test_without_a_card_the_bill_is_refused_and_the_partner_told(cast: Cast, card_bill: Bill) -> None:
    assert payments.charge_due(clock.now()) == 0
    assert bill_now(card_bill).charge_refused
    assert _mails("card refused") == [f"Your card could not be charged for invoice {card_bill.number}"]


def test_an_open_page_is_closed_before_the_card_is_charged(cast: Cast, alice: Actor, card_bill: Bill) -> None:
    store_card(alice)
    url = payments.start_checkout(alice, card_bill.id or 0)
    assert payments.charge_due(clock.now()) == 1
    assert "expired" in Browser().use_page(url).text
    assert taken() == [1_000]


def test_a_lost_answer_is_looked_up_before_anything_is_tried_again(alice: Actor, card_bill: Bill) -> None:
    store_card(alice, ANSWER_LOST)
    before = _deaf(payments.charge_due)
    assert [one.state for one in attempts(card_bill)] == [AttemptState.UNKNOWN]
    assert before == 1
    assert payments.charge_due(clock.now()) == 0
    with pytest.raises(Conflict, match="under way"):
        payments.start_checkout(alice, card_bill.id or 0)
    assert payments.look_up_unknown(clock.now()) == 1
    assert bill_now(card_bill).state == BillState.PAID
    assert taken() == [1_000]


def _deaf(do: Callable[..., int]) -> int:
    """`do(now)` while the processor's messages don't arrive."""
    from portal_app.billing.gateways import sandbox  # noqa: PLC0415

    sandbox.hear.append(lambda _body, _signature: False)
    sandbox.hear.reverse()
    try:
        return do(clock.now())
    finally:
        sandbox.hear.reverse()
        sandbox.hear.pop()


def test_money_goes_back_once_and_never_more_than_came(cast: Cast, alice: Actor, shared: Bill) -> None:
    Browser().use_page(payments.start_checkout(alice, shared.id or 0))
    payment = db.read(lambda session: session.exec(select(Payment)).one())
    with pytest.raises(Denied):
        give_back(alice, payment.id, 100)
    olga = cast.actor("olga")
    give_back(olga, payment.id, 1_000)
    for amount in (2_001, 0, -5):
        with pytest.raises(Invalid):
            give_back(olga, payment.id, amount)
    give_back(olga, payment.id, 2_000)
    assert received(shared) == [("card", 3_000), ("refund", -1_000), ("refund", -2_000)]
    assert taken() == [-2_000, -1_000, 3_000]


def test_what_came_too_much_goes_back_by_itself(cast: Cast, alice: Actor, shared: Bill) -> None:
    """The bank's money was booked while the customer paid on the page."""
    url = payments.start_checkout(alice, shared.id or 0)

    def book(session: Any) -> None:
        payments.settling.credit(session, session.get_one(Bill, shared.id), 3_000, clock.now())

    db.write(book)
    Browser().use_page(url)
    assert payments.look_up_unknown(clock.now() + timedelta(minutes=3)) == 1
    assert received(shared) == [("card", 3_000), ("refund", -3_000)]
    assert bill_now(shared).settled_minor == 3_000
    assert sum(taken()) == 0


def test_each_payment_and_each_refusal_is_in_the_partner_s_audit(cast: Cast, alice: Actor, card_bill: Bill) -> None:
    store_card(alice, NEEDS_OWNER)
    payments.charge_due(clock.now())
    store_card(alice, GOOD)
    payments.charge_due(clock.now())
    mine = select(AuditEvent).where(
        col(AuditEvent.partner_id) == cast.partner_a.id, col(AuditEvent.activity) == Activity.BILLING_DETAILS
    )
    rows = db.read(lambda session: [(row.description, row.completed) for row in session.exec(mine)])
    said = f"Invoice {card_bill.number}: $10.00"
    assert (f"{said} paid by card.", True) in rows
    assert any(words.startswith(f"{said} not paid.") and not completed for words, completed in rows)
    assert not any("card_" in words for words, _ in rows)
    assert system().label == "Portal"
