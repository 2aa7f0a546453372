"""Stored cards: access first, then storing, activating, deleting; and never a number."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.billing import cards
from portal_app.billing.cards import CardRow
from portal_app.billing.gateways import sandbox
from portal_app.errors import Denied, NotFound, PortalError
from portal_app.models import AuditEvent, Card
from tests.billing.payers import GOOD, NEEDS_OWNER, Browser, store_card
from tests.cast import Cast
from tests.tables import stored


@pytest.fixture
def alice(cast: Cast) -> Actor:
    return cast.actor("alice")


def _listed(actor: Actor) -> list[CardRow]:
    return db.read(cards.listed, actor)


@pytest.mark.parametrize("who", ["nina", "bob", "dave", "olga"])
def test_who_may_not_manage_payment_details_does_nothing_with_cards(who: str, cast: Cast, alice: Actor) -> None:
    store_card(alice)
    (card,), actor = _listed(alice), cast.actor(who)
    for attempt in (
        lambda: db.read(cards.listed, actor),
        lambda: cards.start_adding(actor),
        lambda: db.write(cards.activate, actor, card.id),
        lambda: cards.delete(actor, card.id),
    ):
        with pytest.raises(Denied):
            attempt()
    assert _listed(alice) == [card]


def test_another_partner_s_card_is_as_unknown_as_none(cast: Cast, alice: Actor) -> None:
    store_card(alice)
    mallory, said = cast.actor("mallory"), set()
    for number in (_listed(alice)[0].id, 9_999):
        for attempt in (
            lambda n=number: db.write(cards.activate, mallory, n),
            lambda n=number: cards.delete(mallory, n),
        ):
            with pytest.raises(NotFound) as refusal:
                attempt()
            said.add(refusal.value.sentence)
    assert len(said) == 1
    assert _listed(mallory) == []


def test_a_card_stored_on_the_processor_s_page_is_listed_and_charged(cast: Cast, alice: Actor) -> None:
    browser = Browser(cast.alice)
    back = browser.use_page(cards.start_adding(alice))
    assert browser.ask("GET", back.headers["location"]).headers["location"] == "/billing/payment-details?card=added"
    assert browser.ask("GET", back.headers["location"]).headers["location"] == "/billing/payment-details?card=added"
    (card,) = _listed(alice)
    assert (card.brand, card.last4, card.expiry, card.active, card.expired) == ("Visa", "4242", "12/2040", True, False)


@pytest.mark.parametrize("setup", ["", "unknown", "../orders/x", "a" * 300, "%2e%2e"])
def test_a_page_that_there_is_not_stores_nothing(setup: str, cast: Cast, alice: Actor) -> None:
    answer = Browser(cast.alice).ask("GET", "/billing/cards/return", params={"setup": setup})
    assert answer.headers["location"] == "/billing/payment-details?card=none"
    assert _listed(alice) == []


def test_the_card_of_another_s_page_stays_the_other_s(cast: Cast, alice: Actor) -> None:
    back = Browser().use_page(cards.start_adding(alice)).headers["location"]
    Browser(cast.mallory).ask("GET", back)
    assert len(_listed(alice)) == 1
    assert _listed(cast.actor("mallory")) == []


def test_the_newest_is_charged_until_another_is_chosen(alice: Actor) -> None:
    store_card(alice, GOOD)
    store_card(alice, NEEDS_OWNER)
    newest, oldest = _listed(alice)
    assert (newest.last4, newest.active, oldest.active) == ("0341", True, False)
    db.write(cards.activate, alice, oldest.id)
    assert [(card.last4, card.active) for card in _listed(alice)] == [("4242", True), ("0341", False)]


def test_a_deleted_card_is_gone_here_and_there_and_another_takes_its_place(alice: Actor) -> None:
    store_card(alice, GOOD)
    store_card(alice, NEEDS_OWNER)
    newest, _ = _listed(alice)
    token = db.read(lambda session: session.get_one(Card, newest.id).token)
    cards.delete(alice, newest.id)
    assert [(card.last4, card.active) for card in _listed(alice)] == [("4242", True)]
    with pytest.raises(NotFound):
        cards.delete(alice, newest.id)
    with closing(sqlite3.connect(sandbox.books().path)) as books:
        assert books.execute("SELECT count(*) FROM card WHERE token = ?", (token,)).fetchone() == (0,)


def test_a_dead_processor_keeps_nobody_from_deleting(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    store_card(alice)

    def dead(*_: Any) -> None:
        raise cards.Silent("dead")

    monkeypatch.setattr(sandbox.Sandbox, "forget", dead)
    cards.delete(alice, _listed(alice)[0].id)
    assert _listed(alice) == []


def test_no_number_is_anywhere_in_the_portal_s_database_or_audit(
    alice: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    store_card(alice)
    assert GOOD.encode() not in stored()
    with closing(sqlite3.connect(sandbox.books().path)) as connection:
        assert GOOD not in "".join(connection.iterdump())
    assert GOOD not in caplog.text
    words = db.read(lambda session: [row.description for row in session.exec(select(AuditEvent))])
    assert "Card Visa ending in 4242 was added" in words


def test_messages_that_nobody_signed_store_nothing(cast: Cast, alice: Actor) -> None:
    for path, status in (("/webhooks/sandbox", 400), ("/webhooks/stripe", 400), ("/webhooks/other", 404)):
        assert Browser().ask("POST", path, content=b'{"id": "evt_1", "page": "x"}').status_code == status
    assert isinstance(NotFound("x"), PortalError)
    assert _listed(alice) == []
