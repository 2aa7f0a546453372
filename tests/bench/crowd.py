"""Two hundred open tabs over PostgreSQL, Redis and four processes, some of which are killed meanwhile.

Every click that was answered must be in the database once, one that was not at most once; each tab must see its own
partner's rows and its own answers in their order, and come back by itself after every fault.
"""

import asyncio
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from portal_app import db, migrations
from portal_app.audit.tags import Activity
from portal_app.models import AccountStatus, AuditEvent
from tests import factories, restartable
from tests.bench.crowd_tabs import Reader, Tab, Tally, Writer
from tests.cast import cookie_of
from tests.farm import Farm, farm, use

PROCESSES, TABS, CLICKS = 4, 200, 100_000
# Of 200 tabs so many read and so many write; the partners of those who read are not those of those who write.
WRITERS, PARTNERS, ACCOUNTS = 60, 10, 120
# Seconds between the clicks of a tab, on average.
PAUSE = 1.25
# Whatever is not clicked by then is not clicked at all.
LONGEST = 12 * 60.0
SECONDS_TO_END, SECONDS_BETWEEN_WORDS = 40.0, 30.0
DOWN_SECONDS = 1.5
CONNECTIONS = 400
# One socket may send 40 events a second: several take turns.
RATE_TABS, RATE_SECONDS = 40, 8.0
STATUSES = (AccountStatus.TRIAL_STARTED, AccountStatus.MONTHLY, AccountStatus.ANNUAL)
_SAID = re.compile(r"name (Renamed \d+ \d+) instead of")


@dataclass
class Found:
    """What a run has shown."""

    tabs: int
    clicks: int
    answered: int
    lost: int
    doubled: int
    wrong: int
    stuck: int
    p50: float
    p95: float
    p99: float
    seconds: float
    saved: int
    # Since each fault, and before the first: answers, their p95, and how often what happened.
    phases: dict[str, dict[str, float]]
    # Answers a second of one process, and of all.
    rates: list[float] = field(default_factory=list)
    recovered: dict[str, float] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Seat:
    """Who may open a tab, and an account that nobody else renames."""

    cookie: str
    code: str
    account_id: int


def seats(number: int) -> list[Seat]:
    """So many signed-in people of several partners, each with accounts."""
    return [Seat(cookie_of(user), code, account_id) for user, code, account_id in db.write(_people, number)]


def _people(session: Session, number: int) -> list[tuple[Any, str, int]]:
    center = factories.data_center(session)
    found = []
    for index in range(PARTNERS):
        partner = factories.partner(session, code=f"CROWD{index:03}", name=f"Crowd {index}")
        accounts = [
            factories.account(
                session, partner, name=f"{partner.code} {one:03}", data_center_id=center.id, status=STATUSES[one % 3]
            ).id
            for one in range(ACCOUNTS)
        ]
        for one in range(number // PARTNERS):
            found.append((factories.user(session, partner), partner.code, accounts[one]))
    return found


def tabs(tally: Tally, urls: Sequence[str], people: Sequence[Seat], writers: int) -> list[Tab]:
    """The last of the people write, the others read."""
    first = len(people) - writers
    readers: list[Tab] = [Reader(tally, urls, one.cookie, one.code) for one in people[:first]]
    return readers + [Writer(tally, urls, one.cookie, one.account_id) for one in people[first:]]


Fault = tuple[str, Callable[[], None]]


async def crowd(
    everybody: Sequence[Tab], tally: Tally, clicks: int, faults: Sequence[Fault], longest: float = LONGEST
) -> dict[str, float]:
    """Click so often, and let the faults happen evenly meanwhile. Gives the seconds until every tab was back."""
    recovered: dict[str, float] = {}
    living = [asyncio.create_task(tab.live()) for tab in everybody]
    telling = asyncio.create_task(_tell(tally))
    watching: list[asyncio.Task[None]] = []
    started, share = time.monotonic(), 1 / (len(faults) + 1)
    for number, (name, happens) in enumerate(faults, 1):
        await _reach(tally, int(clicks * share * number), started + longest * share * number)
        begun, tally.phase = time.monotonic(), name
        await asyncio.to_thread(happens)
        watching.append(asyncio.create_task(_all_back(everybody, begun, name, recovered)))
    await _reach(tally, clicks, started + longest)
    await asyncio.gather(*watching)
    telling.cancel()
    tally.goes_on = False
    await _end(living, tally)
    return recovered


async def _tell(tally: Tally) -> None:
    started = time.monotonic()
    while True:
        before = tally.answered
        await asyncio.sleep(SECONDS_BETWEEN_WORDS)
        rate = (tally.answered - before) / SECONDS_BETWEEN_WORDS
        told = f"  {time.monotonic() - started:.0f} s: {tally.answered:,} clicks, {rate:.0f} a second"
        print(f"{told}; {tally.phase}", file=sys.stderr, flush=True)


async def _end(living: Sequence[asyncio.Task[None]], tally: Tally) -> None:
    _, left = await asyncio.wait(living, timeout=SECONDS_TO_END)
    for one in left:
        one.cancel()
    for fault in await asyncio.gather(*living, return_exceptions=True):
        if fault is not None:
            tally.note_wrong(f"a tab broke: {fault!r}")


async def rate(everybody: Sequence[Tab], tally: Tally) -> float:
    """Answers a second to tabs that click again as soon as they were answered."""
    living = [asyncio.create_task(tab.live()) for tab in everybody]
    await _reach(tally, 3 * len(everybody), time.monotonic() + SECONDS_TO_END)
    before, begun = tally.answered, time.monotonic()
    await asyncio.sleep(RATE_SECONDS)
    found = (tally.answered - before) / (time.monotonic() - begun)
    tally.goes_on = False
    await _end(living, tally)
    return found


async def _reach(tally: Tally, clicks: int, ends: float) -> None:
    while tally.answered < clicks and time.monotonic() < ends:  # noqa: ASYNC110 (each answer would wake it)
        await asyncio.sleep(0.1)


async def _all_back(everybody: Sequence[Tab], begun: float, name: str, recovered: dict[str, float]) -> None:
    """The seconds until every tab's click was answered after the fault; infinite when that takes too long."""
    while any(tab.last_answer < begun + 0.5 for tab in everybody):
        await asyncio.sleep(0.05)
        if time.monotonic() - begun > 120:
            recovered[name] = float("inf")
            return
    recovered[name] = time.monotonic() - begun


def written() -> Counter[str]:
    """How often each name was given, as the audit says."""

    def read(session: Session) -> list[str]:
        wanted = select(AuditEvent.description).where(col(AuditEvent.activity) == Activity.ACCOUNT_SETTINGS)
        return list(session.exec(wanted))

    return Counter(match[1] for text in db.read(read) if (match := _SAID.search(text)))


def judged(number: int, tally: Tally, rows: Counter[str], seconds: float, recovered: dict[str, float]) -> Found:
    """What the tabs saw against what the database says."""
    for mark, phase in tally.saved.items():
        tally.phases[phase].seen["lost"] += not rows[mark]
    for mark, count in rows.items():
        phase = tally.sent.get(mark, tally.phase)
        tally.phases[phase].seen["doubled"] += count > 1 or mark not in tally.sent
    seen = sum((phase.seen for phase in tally.phases.values()), Counter[str]())
    marks = _marks([one for phase in tally.phases.values() for one in phase.seconds])
    return Found(
        tabs=number,
        clicks=tally.answered + seen["unanswered"] + seen["told"],
        answered=tally.answered,
        lost=seen["lost"],
        doubled=seen["doubled"],
        wrong=seen["wrong"],
        stuck=seen["stuck"],
        p50=marks[49],
        p95=marks[94],
        p99=marks[98],
        seconds=seconds,
        saved=len(tally.saved),
        phases={
            name: {"answered": len(phase.seconds), "p95": _marks(phase.seconds)[94], **phase.seen}
            for name, phase in tally.phases.items()
        },
        recovered=recovered,
        examples=tally.wrong[:5],
    )


def _marks(seconds: Sequence[float]) -> list[float]:
    """The percentiles, in milliseconds."""
    enough = len(seconds) > 1
    return [1000 * mark for mark in statistics.quantiles(seconds, n=100)] if enough else [float("nan")] * 99


def measure(
    folder: Path, clicks: int = CLICKS, tabs_open: int = TABS, pause: float = PAUSE, longest: float = LONGEST
) -> Found:
    """The whole run."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(restartable.both(folder))
        postgres.allow(CONNECTIONS)
        stack.enter_context(use(postgres.url, folder))
        migrations.upgrade()
        people = seats(tabs_open)
        settings = {"database_url": postgres.url, "redis_url": redis.url}
        servers = stack.enter_context(farm(folder, PROCESSES, **settings))
        rates = [_rate(servers.urls[:number], people) for number in (1, PROCESSES)]
        tally, Tab.pause = Tally(), pause
        everybody = tabs(tally, servers.urls, people, tabs_open * WRITERS // TABS)
        begun = time.monotonic()
        recovered = asyncio.run(crowd(everybody, tally, clicks, _faults(servers, postgres, redis), longest))
        found = judged(tabs_open, tally, written(), time.monotonic() - begun, recovered)
        found.rates = rates
        for name, phase in found.phases.items():
            told = ", ".join(f"{what} {number:.0f}" for what, number in phase.items() if number)
            print(f"  {name}: {told}", file=sys.stderr, flush=True)
        return found


def _rate(urls: Sequence[str], people: Sequence[Seat]) -> float:
    tally, Tab.pause = Tally(), 0.0
    return asyncio.run(rate(tabs(tally, urls, people[:RATE_TABS], 0), tally))


def _faults(servers: Farm, postgres: restartable.Postgres, redis: restartable.Redis) -> list[Fault]:
    def killed(one: int) -> Callable[[], None]:
        def happens() -> None:
            servers.kill(one)
            servers.start(one)

        return happens

    def redis_restarts() -> None:
        redis.stop()
        time.sleep(DOWN_SECONDS)
        redis.start()

    return [
        ("a process killed", killed(1)),
        ("Redis restarted", redis_restarts),
        ("PostgreSQL restarted", postgres.restart),
        ("another process killed", killed(2)),
    ]
