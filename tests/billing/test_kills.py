"""A cycle that dies anywhere and is run again ends in the same bills: none doubled, none lost, no number skipped.

PORTAL_TEST_KILLS is how many are killed (8 unless told); from 100 on, over 1,000 accounts of 20 partners.
"""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal_app import clock, db
from portal_app.jobs import cycle
from portal_app.settings import reset_settings
from tests.billing.lives import NOW, fill, outcome
from tests.jobs import victim
from tests.jobs.lives import at
from tests.jobs.test_faults import BETWEEN, live, processes

KILLS = int(os.environ.get("PORTAL_TEST_KILLS", "8"))
PARTNERS, ACCOUNTS = (20, 1000) if KILLS >= 100 else (5, 60)
BATCH = 200


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[dict[str, Any]]:
    """What one undisturbed run makes of the same partners, in a database of its own."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copy(migrated, folder / "portal.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTAL_DATA_DIR", str(folder))
        patch.setattr(clock, "now", at(NOW))
        _forget()
        db.write(fill, PARTNERS, ACCOUNTS)
        cycle.run_cycle()
        found = outcome()
    _forget()
    return found


def _forget() -> None:
    reset_settings()
    db.reset_engine()


def moments(seed: int) -> Iterator[victim.Moment]:
    """Before or after a statement, at a commit, or after some milliseconds: always soon, so that each one matters."""
    draw = random.Random(seed)
    most = {"before": 150.0, "after": 150.0, "commit": 4.0, "seconds": 0.1}
    while True:
        kind = draw.choice(list(most))
        yield kind, draw.uniform(0, most[kind])


def test_the_undisturbed_run_has_bills_of_every_kind(expected: dict[str, Any]) -> None:
    kinds = {(bill["kind"], bill["plan"], bill["method"]) for bill in expected["bills"]}
    assert {("consolidated", "monthly"), ("account", "annual"), ("account", "monthly")} <= {one[:2] for one in kinds}
    assert {"card", "invoice"} == {method for _, _, method in kinds}
    assert [bill["number"] for bill in expected["bills"]] == list(range(1, len(expected["bills"]) + 1))
    assert expected["counted"] == [(len(expected["bills"]), expected["counted"][0][1])]
    assert len(expected["mails"]) == len(expected["bills"])


def test_killed_anywhere_and_run_again(
    store: dict[str, str], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", at(NOW))
    db.write(fill, PARTNERS, ACCOUNTS)
    ends: list[int] = []
    for number, moment in zip(range(KILLS), moments(seed=1), strict=False):
        ends.append(live(victim.run, store, NOW + number * BETWEEN, BATCH, moment))
        if ends[-1] == 0:
            break
    assert ends.count(-signal.SIGKILL) >= min(len(ends), KILLS) - 1, ends
    assert live(victim.run, store, NOW + len(ends) * BETWEEN, BATCH) == 0
    assert outcome() == expected


def test_three_processes_at_once(
    store: dict[str, str], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", at(NOW))
    db.write(fill, PARTNERS, ACCOUNTS)
    start, ended = processes.Barrier(3), processes.Queue()
    all_three = [processes.Process(target=victim.race, args=(store, NOW, BATCH, start, ended)) for _ in range(3)]
    for process in all_three:
        process.start()
    for _ in all_three:
        ended.get(timeout=60)
    for process in all_three:
        process.join(60)
    cycle.sweep(NOW)
    found, wanted = outcome(), dict(expected)
    # Two may bill different partners at the same time: the numbers' order is theirs, and whose counts they are.
    for kept in (found, wanted):
        kept["once"] = sorted((bill["once"], bill["total_minor"]) for bill in kept["bills"])
        kept["numbers"] = [bill["number"] for bill in kept["bills"]]
        for name in ("lines", "shares", "covers"):
            kept[name] = sorted((row for _, row in kept[name]), key=repr)
        del kept["bills"], kept["counted"]
    assert found == wanted
