"""Stripe by its own library, over HTTP, against a peer that loses answers, doubles messages and turns keys down."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.billing import cards, payments, webhooks
from portal_app.billing.gateways.port import Forged, Refused
from portal_app.billing.gateways.stripe import stripe_units
from portal_app.errors import Conflict
from portal_app.models import AttemptState, Bill, BillState, Card, Payment, ProcessorEvent
from portal_app.settings import reset_settings
from tests.billing import factories, stripe_peer
from tests.billing.payers import attempts, bill_now, give_back, received
from tests.billing.stripe_peer import Peer, message
from tests.cast import Cast


@pytest.fixture
def peer(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with stripe_peer.running() as running:
        for name, value in {
            "PAYMENT_GATEWAY": "stripe",
            "STRIPE_SECRET_KEY": stripe_peer.SECRET_KEY,
            "STRIPE_WEBHOOK_SECRET": stripe_peer.WEBHOOK_SECRET,
            "STRIPE_URL": running.address,
            "PUBLIC_URL": "https://portal.example",
        }.items():
            monkeypatch.setenv(f"PORTAL_{name}", value)
        reset_settings()
        yield running


@pytest.fixture
def alice(cast: Cast) -> Actor:
    return cast.actor("alice")


@pytest.fixture
def bill(cast: Cast) -> Bill:
    return db.write(factories.bill, cast.partner_a, [(cast.accounts_a[1], 3_000)])


@pytest.fixture
def card_bill(cast: Cast) -> Bill:
    today = clock.today()
    due = {"method": "card", "due_on": today, "next_charge_on": today}
    return db.write(factories.bill, cast.partner_a, [(cast.accounts_a[1], 1_000)], **due)


def _store(peer: Peer, alice: Actor) -> Card:
    session = cards.start_adding(alice).rpartition("/")[2]
    assert not cards.finish_adding(session)
    peer.store(session)
    assert cards.finish_adding(session)
    return db.read(lambda rows: rows.exec(select(Card)).one())


@pytest.mark.parametrize(("way", "kind"), [("card", "card"), ("paypal", "paypal")])
def test_a_bill_is_paid_on_stripe_s_page(peer: Peer, alice: Actor, bill: Bill, way: str, kind: str) -> None:
    url = payments.start_checkout(alice, bill.id or 0)
    assert payments.start_checkout(alice, bill.id or 0) == url
    session = url.rpartition("/")[2]
    key = attempts(bill)[0].key
    assert peer.rows[session]["success_url"] == f"https://portal.example/billing/return/{key}"
    peer.pay(session, way)
    assert payments.look_up(key)
    assert received(bill) == [(kind, 3_000)]
    assert bill_now(bill).state == BillState.PAID


def test_messages_doubled_late_and_in_any_order_count_once(peer: Peer, alice: Actor, bill: Bill) -> None:
    session = payments.start_checkout(alice, bill.id or 0).rpartition("/")[2]
    peer.pay(session)
    about = peer.rows[session]
    expired = message("evt_2", "checkout.session.expired", about | {"status": "expired"})
    paid = message("evt_1", "checkout.session.completed", about)
    for body, headers in (expired, paid, paid, expired, paid):
        assert webhooks.take("stripe", body, headers)
    assert received(bill) == [("card", 3_000)]
    known = db.read(lambda rows: sorted(row.event_id for row in rows.exec(select(ProcessorEvent))))
    assert known == ["evt_1", "evt_2"]


def test_what_stripe_did_not_sign_is_turned_away(peer: Peer, alice: Actor, bill: Bill) -> None:
    session = payments.start_checkout(alice, bill.id or 0).rpartition("/")[2]
    body, headers = message("evt_1", "checkout.session.completed", peer.rows[session], secret="whsec_other")
    for wrong in (headers, {}, {"stripe-signature": "t=1,v1=00"}):
        with pytest.raises(Forged):
            webhooks.take("stripe", body, wrong)
    assert received(bill) == []


def test_a_signed_message_alone_is_not_believed(peer: Peer, alice: Actor, bill: Bill) -> None:
    """It says paid, but Stripe itself says open."""
    session = payments.start_checkout(alice, bill.id or 0).rpartition("/")[2]
    lie = peer.rows[session] | {"status": "complete", "payment_status": "paid"}
    assert webhooks.take("stripe", *message("evt_1", "checkout.session.completed", lie))
    assert bill_now(bill).state == BillState.OPEN


def test_a_stored_card_is_charged_and_forgotten(peer: Peer, alice: Actor, card_bill: Bill) -> None:
    card = _store(peer, alice)
    assert (card.brand, card.last4, card.expiry_month, card.expiry_year) == ("Visa", "4242", 7, 2031)
    assert payments.charge_due(clock.now()) == 1
    assert bill_now(card_bill).state == BillState.PAID
    cards.delete(alice, card.id or 0)
    assert db.read(cards.listed, alice) == []
    assert peer.taken() == [1_000]


def test_a_declined_card_says_why(peer: Peer, alice: Actor, card_bill: Bill) -> None:
    peer.declines.add(_store(peer, alice).token)
    payments.charge_due(clock.now())
    (attempt,) = attempts(card_bill)
    assert (attempt.state, attempt.reason) == (AttemptState.DECLINED, "Your card was declined.")
    assert bill_now(card_bill).charge_refused


def test_a_lost_answer_to_a_charge_is_found_by_its_key(peer: Peer, alice: Actor, card_bill: Bill) -> None:
    _store(peer, alice)
    peer.lose = 1
    payments.charge_due(clock.now())
    assert attempts(card_bill)[0].state == AttemptState.UNKNOWN
    assert payments.charge_due(clock.now()) == 0
    payments.look_up_unknown(clock.now())
    assert bill_now(card_bill).state == BillState.PAID
    assert peer.taken() == [1_000]


def test_a_charge_that_never_arrived_is_sent_again_under_its_key(peer: Peer, alice: Actor, card_bill: Bill) -> None:
    _store(peer, alice)
    peer.status = 500
    payments.charge_due(clock.now())
    payments.look_up_unknown(clock.now())
    assert attempts(card_bill)[0].state == AttemptState.UNKNOWN
    peer.status = 0
    payments.look_up_unknown(clock.now())
    assert [one.state for one in attempts(card_bill)] == [AttemptState.SUCCEEDED]
    assert peer.taken() == [1_000]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_stripe_s_own_troubles_are_no_refusal_of_the_card(
    peer: Peer, alice: Actor, card_bill: Bill, bill: Bill, status: int
) -> None:
    _store(peer, alice)
    peer.status = status
    payments.charge_due(clock.now())
    assert not bill_now(card_bill).charge_refused
    with pytest.raises(Conflict, match="Nothing was taken"):
        payments.start_checkout(alice, bill.id or 0)


def test_a_page_whose_answer_was_lost_is_the_same_page_at_the_next_click(peer: Peer, alice: Actor, bill: Bill) -> None:
    peer.lose = 1
    with pytest.raises(Conflict):
        payments.start_checkout(alice, bill.id or 0)
    payments.start_checkout(alice, bill.id or 0)
    assert len(peer.of("checkout.session")) == len(attempts(bill)) == 1


def test_money_goes_back_by_stripe_once(peer: Peer, alice: Actor, bill: Bill, cast: Cast) -> None:
    peer.pay(payments.start_checkout(alice, bill.id or 0).rpartition("/")[2])
    payments.look_up(attempts(bill)[0].key)

    def first(rows: Any) -> int:
        return rows.exec(select(Payment)).first().id

    peer.lose = 1
    key = give_back(cast.actor("olga"), db.read(first), 1_200)
    assert received(bill) == [("card", 3_000)]
    payments.look_up(key)
    assert received(bill) == [("card", 3_000), ("refund", -1_200)]
    assert peer.taken() == [-1_200, 3_000]


def test_without_a_secret_no_message_is_signed(peer: Peer, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that pays elsewhere knows no secret of Stripe's: anybody could sign with nothing."""
    monkeypatch.setenv("PORTAL_PAYMENT_GATEWAY", "sandbox")
    monkeypatch.delenv("PORTAL_STRIPE_WEBHOOK_SECRET")
    reset_settings()
    with pytest.raises(Forged):
        webhooks.take(
            "stripe", *message("evt_1", "checkout.session.completed", {"mode": "setup", "id": "x"}, secret="")
        )


def test_a_card_is_asked_for_where_its_message_came_from(
    peer: Peer, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = cards.start_adding(alice).rpartition("/")[2]
    peer.store(session)
    monkeypatch.setenv("PORTAL_PAYMENT_GATEWAY", "sandbox")
    reset_settings()
    assert webhooks.take("stripe", *message("evt_1", "checkout.session.completed", peer.rows[session]))
    assert [(card.gateway, card.last4) for card in db.read(lambda rows: rows.exec(select(Card)).all())] == [
        ("stripe", "4242")
    ]


def test_a_deleted_card_does_not_come_back_with_the_page_that_stored_it(peer: Peer, alice: Actor) -> None:
    session = cards.start_adding(alice).rpartition("/")[2]
    peer.store(session)
    cards.finish_adding(session)
    cards.delete(alice, db.read(cards.listed, alice)[0].id)
    assert not cards.finish_adding(session)
    assert db.read(cards.listed, alice) == []


@pytest.mark.parametrize("currency", ["ISK", "LBP", "RSD"])
def test_whole_krona_and_dinars_are_told_in_hundredths(peer: Peer, alice: Actor, cast: Cast, currency: str) -> None:
    """Here they have no digits behind the point, there they have two: 1,234 dinars would become 12.34."""
    given = {"currency": currency}
    bill = db.write(factories.bill, cast.partner_a, [(cast.accounts_a[1], 1_234)], **given)
    session = payments.start_checkout(alice, bill.id or 0).rpartition("/")[2]
    assert peer.rows[session]["amount_total"] == 123_400
    peer.pay(session)
    payments.look_up(attempts(bill)[0].key)
    assert (received(bill), bill_now(bill).state) == ([("card", 1_234)], BillState.PAID)


def test_amounts_are_told_in_stripe_s_own_units() -> None:
    told = {currency: stripe_units(1_230, currency) for currency in ("EUR", "JPY", "KWD", "LYD")}
    assert told == {"EUR": 1_230, "JPY": 1_230, "KWD": 1_230, "LYD": 123}
    with pytest.raises(Refused):
        stripe_units(1_234, "LYD")
