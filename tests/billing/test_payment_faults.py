"""The sandbox as a service of its own, over HTTP: it dies, loses answers, tells twice; a hundred click at once."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.billing import cards, payments, webhooks
from portal_app.billing.gateways.port import Silent
from portal_app.build import ROOT
from portal_app.errors import Conflict
from portal_app.models import AttemptState, Bill, BillState
from portal_app.sandbox_processor import signing
from portal_app.sandbox_processor.ledger import FILE, Ledger
from portal_app.settings import reset_settings
from tests.billing import factories
from tests.billing.payers import ANSWER_LOST, GOOD, attempts, bill_now, received
from tests.cast import Cast, make_cast
from tests.e2e.servers import free_port

Message = tuple[bytes, dict[str, str]]


class Processor:
    """`python -m portal_app.sandbox_processor` in a process of its own, and a shop that only keeps what it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.heard: list[Message] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        own = {"PORTAL_DATA_DIR": str(self.folder), "PORTAL_SANDBOX_SECRET": "both know it", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "portal_app.sandbox_processor", "--port", str(self.port)]
        others = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        # A group of its own: the server has a worker, which would outlive it.
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=others | own, stderr=subprocess.DEVNULL, start_new_session=True
        )
        ends = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, "it did not start"
            assert time.monotonic() < ends, "it did not start in time"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/pay/none").status_code == 404
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def use_page(self, url: str, number: str = GOOD) -> int:
        typed = {"number": number, "expiry": "12/40", "code": "123", "way": "card"}
        return httpx.post(url, data=typed, timeout=30).status_code

    def taken(self) -> list[int]:
        return [row["amount"] for row in Ledger(self.folder / FILE).taken()]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processor]:
    processor = Processor(tmp_path_factory.mktemp("processor"))
    processor.start()
    yield processor
    processor.kill()


@pytest.fixture
def shop() -> Iterator[tuple[str, list[Message]]]:
    """Where the processor's messages go: they are taken, and nothing is done with them."""
    heard: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((body, {signing.HEADER: self.headers[signing.HEADER]}))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
        server.shutdown()
        thread.join()


@pytest.fixture
def processor(running: Processor, shop: Any, monkeypatch: pytest.MonkeyPatch) -> Processor:
    if running.process is None:
        running.start()
    given = {"SANDBOX_URL": running.address, "SANDBOX_SECRET": "both know it", "PUBLIC_URL": shop[0]}
    for name, value in given.items():
        monkeypatch.setenv(f"PORTAL_{name}", value)
    reset_settings()
    running.heard = shop[1]
    return running


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
