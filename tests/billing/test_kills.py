"""A cycle that dies anywhere and is run again ends in the same bills and takes the same money: nothing doubled or lost.

The cards are at a processor of its own, in another process, which lives on. TEST_KILLS is how many of the
cycles that are at work are killed (14 unless told); from 100 on, over 1,000 accounts of 20 partners.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.billing import cards, collecting
from portal_app.jobs import cycle
from portal_app.models import BillingMethod, BillingProfile, CycleRun, Partner
from portal_app.settings import reset_settings
from tests import factories, stores
from tests.billing.lives import NOW, fill, outcome
from tests.billing.payers import ANSWER_LOST, GOOD, NEEDS_OWNER
from tests.billing.processor import Processor, running
from tests.jobs import victim
from tests.jobs.lives import at
from tests.jobs.test_faults import BETWEEN, live, processes
from tests.stores import Template

KILLS = int(os.environ.get("TEST_KILLS", "14"))
PARTNERS, ACCOUNTS = (20, 1000) if KILLS >= 100 else (5, 40)
BATCH = 200
NUMBERS = (GOOD, ANSWER_LOST, NEEDS_OWNER)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, migrated: Template) -> Iterator[dict[str, Any]]:
    """What one undisturbed run makes of the same partners, in a database and at a processor of their own."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        stores.enter(migrated.copy(folder), patch)
        with world(folder, patch) as (processor, _):
            cycle.run_cycle()
            found = all_of_it(processor, 1)
    _forget()
    return found


@pytest.fixture
def own_world(
    store: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Processor, dict[str, str]]]:
    with world(tmp_path, monkeypatch) as (processor, environment):
        yield processor, store | environment


@contextmanager
def world(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[Processor, dict[str, str]]]:
    """Partners with accounts to bill, and with cards that pay, whose answers are lost, that are refused."""
    patch.setattr(clock, "now", at(NOW))
    with running(folder / "processor", NOW.date()) as (processor, environment):
        for name, value in environment.items():
            patch.setenv(name, value)
        _forget()
        db.write(fill, PARTNERS, ACCOUNTS)
        for number, actor in enumerate(db.write(_payers)):
            url = cards.start_adding(actor)
            processor.use_page(url, NUMBERS[number % len(NUMBERS)])
            assert cards.finish_adding(url.rpartition("/")[2])
        yield processor, environment


def _payers(session: Session) -> list[Any]:
    by_card = select(Partner).join(BillingProfile, col(BillingProfile.partner_id) == col(Partner.id))
    found = session.exec(by_card.where(col(BillingProfile.method) == BillingMethod.CARD).order_by(col(Partner.id)))
    return [factories.actor(factories.user(session, of, email=f"payer{of.id}@example.com")) for of in found.all()]


def all_of_it(processor: Processor, after: int) -> dict[str, Any]:
    """What there is once the answers that are missing were asked for, so many lives later."""
    collecting.run(NOW + after * BETWEEN)
    return outcome() | {"taken": processor.payments()}


def _forget() -> None:
    reset_settings()
    db.reset_engine()


def moments(seed: int) -> Iterator[victim.Moment]:
    """Each boundary of a step, some way into what is left; then anywhere. Always soon, so that each one matters."""
    boundaries = ("commit", "committed", "asking", "answered")
    draw = random.Random(seed)
    most = {"before": 60.0, "after": 60.0, "seconds": 0.1} | dict.fromkeys(boundaries, 4.0)

    def anywhere() -> Iterator[victim.Moment]:
        while True:
            kind = draw.choice(list(most))
            yield kind, draw.uniform(0, most[kind])

    return chain(((kind, float(number)) for number in (0, 1, 2) for kind in boundaries), anywhere())


def test_the_undisturbed_run_has_bills_of_every_kind(expected: dict[str, Any]) -> None:
    kinds = {(bill["kind"], bill["plan"], bill["method"]) for bill in expected["bills"]}
    assert {("consolidated", "monthly"), ("account", "annual"), ("account", "monthly")} <= {one[:2] for one in kinds}
    assert {"card", "invoice"} == {method for _, _, method in kinds}
    assert [bill["number"] for bill in expected["bills"]] == list(range(1, len(expected["bills"]) + 1))
    assert expected["counted"] == [(len(expected["bills"]), expected["counted"][0][1])]
    assert [kind for kind, _, _ in expected["mails"]].count("bill") == len(expected["bills"])
    assert {state for _, _, state, _ in expected["attempts"]} == {"succeeded", "declined"}
    assert {status for _, _, _, status in expected["taken"]} == {"taken", "declined"}


def test_killed_anywhere_and_run_again(own_world: tuple[Processor, dict[str, str]], expected: dict[str, Any]) -> None:
    processor, environment = own_world
    ends: list[int] = []
    at_work = 0
    for moment in moments(seed=1):
        now = NOW + len(ends) * BETWEEN
        ends.append(live(victim.run, environment, now, BATCH, moment))
        at_work += ends[-1] == -signal.SIGKILL and db.read(_is_at_work, now)
        if at_work == KILLS or ends[-1] == 0:
            break
    print(f"{at_work} cycles were killed at work, in {len(ends)} lives")
    assert at_work >= KILLS * 3 // 4, ends
    assert live(victim.run, environment, NOW + len(ends) * BETWEEN, BATCH) == 0
    found = all_of_it(processor, len(ends) + 1)
    assert found["taken"] == expected["taken"]
    assert found == expected
    captures = Counter(words for words, _, _, status in found["taken"] if status == "taken")
    assert set(captures.values()) == {1}


def _is_at_work(session: Session, now: datetime) -> bool:
    """Whether who lived at that instant held the day, and had not finished it."""
    its_own = (col(CycleRun.finished_at).is_(None), col(CycleRun.held_until) == now + cycle.LEASE)
    return session.exec(select(CycleRun).where(*its_own)).first() is not None


def test_three_processes_at_once(own_world: tuple[Processor, dict[str, str]], expected: dict[str, Any]) -> None:
    processor, environment = own_world
    start, ended = processes.Barrier(3), processes.Queue()
    all_three = [processes.Process(target=victim.race, args=(environment, NOW, BATCH, start, ended)) for _ in range(3)]
    for process in all_three:
        process.start()
    for _ in all_three:
        ended.get(timeout=60)
    for process in all_three:
        process.join(60)
    cycle.sweep(NOW)
    found, wanted = all_of_it(processor, 1), dict(expected)
    # Two may bill different partners at the same time: the numbers' order is theirs, and whose counts they are.
    for kept in (found, wanted):
        kept["once"] = sorted((bill["once"], bill["total_minor"], bill["state"]) for bill in kept["bills"])
        kept["numbers"] = [bill["number"] for bill in kept["bills"]]
        kept["taken"] = sorted(row[1:] for row in kept["taken"])
        kept["mails"] = sorted(row[:2] for row in kept["mails"])
        for name in ("lines", "shares", "covers"):
            kept[name] = sorted((row for _, row in kept[name]), key=repr)
        for name in ("attempts", "payments"):
            kept[name] = sorted(row[1:] for row in kept[name])
        del kept["bills"], kept["counted"]
    assert found == wanted
