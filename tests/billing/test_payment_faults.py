"""The sandbox as a service of its own, over HTTP: it dies, loses answers, tells twice; a hundred click at once."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.billing import cards, payments, webhooks
from portal_app.billing.gateways.port import Silent
from portal_app.errors import Conflict
from portal_app.models import AttemptState, Bill, BillState
from portal_app.settings import reset_settings
from tests.billing import factories
from tests.billing.payers import ANSWER_LOST, GOOD, attempts, bill_now, received
from tests.billing.processor import Processor, listening
from tests.cast import Cast, make_cast


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processor]:
    processor = Processor(tmp_path_factory.mktemp("processor"))
    processor.start()
    yield processor
    processor.kill()


@pytest.fixture
def processor(running: Processor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processor]:
    if running.process is None:
        running.start()
    with listening(running) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        reset_settings()
        yield running


@pytest.fixture
def cast(store: Any, processor: Processor) -> Cast:
    return db.write(make_cast)


@pytest.fixture
def alice(cast: Cast) -> Actor:
    return cast.actor("alice")


def _bill(cast: Cast, amount: int, **given: Any) -> Bill:
    return db.write(factories.bill, cast.partner_a, [(cast.accounts_a[1], amount)], **given)


def _due_bill(cast: Cast, amount: int) -> Bill:
    today = clock.today()
    return _bill(cast, amount, method="card", due_on=today, next_charge_on=today)


def _store_card(processor: Processor, alice: Actor, number: str) -> None:
    url = cards.start_adding(alice)
    processor.use_page(url, number)
    assert cards.finish_adding(url.rpartition("/")[2])


def test_a_hundred_clicks_at_once_take_the_money_once(processor: Processor, cast: Cast, alice: Actor) -> None:
    """Each click pays on the page that it is led to; then every message comes twice, in any order, from all sides."""
    bill, before = _bill(cast, 12_345), len(processor.taken())

    def click(_number: int) -> str:
        try:
            url = payments.start_checkout(alice, bill.id or 0)
        except Conflict as refusal:
            return refusal.sentence
        processor.use_page(url)
        payments.look_up(attempts(bill)[0].key)
        return url

    with ThreadPoolExecutor(16) as pool:
        said = set(pool.map(click, range(100)))
    assert len([one for one in said if one.startswith("http")]) == 1, said
    told = [*processor.heard, *processor.heard]
    random.Random(4).shuffle(told)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda one: webhooks.take("sandbox", *one), told))
    assert received(bill) == [("card", 12_345)]
    assert bill_now(bill).state == BillState.PAID
    assert processor.taken()[before:] == [12_345]
    assert [one.state for one in attempts(bill)] == [AttemptState.SUCCEEDED]


def test_many_who_charge_at_once_charge_once(processor: Processor, cast: Cast, alice: Actor) -> None:
    _store_card(processor, alice, GOOD)
    bill, before = _due_bill(cast, 777), len(processor.taken())
    with ThreadPoolExecutor(8) as pool:
        tried = sum(pool.map(lambda _: payments.charge_due(clock.now()), range(16)))
    assert tried == 1
    assert received(bill) == [("card", 777)]
    assert processor.taken()[before:] == [777]


def test_the_answer_is_lost_and_the_message_too(processor: Processor, cast: Cast, alice: Actor) -> None:
    _store_card(processor, alice, ANSWER_LOST)
    bill, before = _due_bill(cast, 888), len(processor.taken())
    payments.charge_due(clock.now())
    assert attempts(bill)[0].state == AttemptState.UNKNOWN
    payments.look_up_unknown(clock.now())
    assert (bill_now(bill).state, received(bill)) == (BillState.PAID, [("card", 888)])
    assert processor.taken()[before:] == [888]


def test_a_processor_that_died_leaves_nothing_half_done(processor: Processor, cast: Cast, alice: Actor) -> None:
    _store_card(processor, alice, GOOD)
    due, other, before = _due_bill(cast, 999), _bill(cast, 500), len(processor.taken())
    processor.kill()
    payments.charge_due(clock.now())
    payments.look_up_unknown(clock.now())
    assert attempts(due)[0].state == AttemptState.UNKNOWN
    with pytest.raises(Conflict, match="Nothing was taken"):
        payments.start_checkout(alice, other.id or 0)
    with pytest.raises(Conflict):
        cards.start_adding(alice)
    with pytest.raises(Silent):
        cards.finish_adding("page_unknown")
    processor.start()
    payments.look_up_unknown(clock.now())
    processor.use_page(payments.start_checkout(alice, other.id or 0))
    payments.look_up(attempts(other)[0].key)
    assert [bill_now(bill).state for bill in (due, other)] == [BillState.PAID, BillState.PAID]
    assert [len(attempts(bill)) for bill in (due, other)] == [1, 1]
    assert sorted(processor.taken()[before:]) == [500, 999]


def test_a_stranger_can_t_use_the_api_of_the_processor(processor: Processor, cast: Cast) -> None:
    for header in ({}, {"Authorization": "Bearer 00"}, {"Authorization": "Bearer"}):
        for path in ("/v1/orders/x", "/v1/pages/x"):
            assert httpx.get(processor.address + path, headers=header).status_code == 401
        assert httpx.request("DELETE", f"{processor.address}/v1/cards/x", headers=header).status_code == 401
