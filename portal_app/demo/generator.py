"""Any number of accounts for benchmarks: fast, the same for the same seed, whole or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from sqlalchemy import delete, func, insert, literal, true
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.auth import passwords
from portal_app.backups.rows import Service
from portal_app.demo import bulk, bulk_entities, people
from portal_app.demo.service import is_wanted, make_partner, make_person
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import (
    Account,
    AccountStatus,
    AccountTotal,
    BackupRun,
    BackupStatus,
    BackupTask,
    BillingProfile,
    BillingStatus,
    DataCenter,
    Outcome,
    Partner,
    PartnerDay,
)

MOST = 5_000_000
MOST_RUNS = 400
CHUNK = 20_000
DAYS = 365
HOUR = time(2, 0)

FIRST_NAMES, LAST_NAMES, COMPANIES = (
    words.split()
    for words in (
        "Ada Bruno Carla Dmitri Elena Farid Grace Hugo Ines Jonas Katrin Leo Marta Nils Olga Pavel Quinn Rosa Stefan"
        " Tara Umar Vera Walter Xenia Yusuf Zoe",
        "Abel Berger Costa Diaz Eriksen Fischer Garcia Huber Ivanov Jansen Keller Lopez Meyer Novak Olsen Perez Quist"
        " Rossi Silva Torres Ueda Vogel Weber Xu Young Zimmer",
        "Acme Borealis Cobalt Delta Ember Fjord Granite Harbor Indigo Juniper Kestrel Lumen Maple Nimbus Orchid"
        " Pioneer Quartz Raven Summit Tundra",
    )
)
# How often each status occurs, in percent.
STATUSES = {
    AccountStatus.MONTHLY: 50,
    AccountStatus.ANNUAL: 25,
    AccountStatus.TRIAL_STARTED: 12,
    AccountStatus.TRIAL_EXPIRING: 5,
    AccountStatus.TRIAL_EXPIRED: 8,
}
BACKUPS = {BackupStatus.SUCCESSFUL: 80, BackupStatus.PARTIAL: 10, BackupStatus.FAILED: 6, BackupStatus.NONE: 4}
BILLINGS = {BillingStatus.CURRENT: 78, BillingStatus.DUE: 14, BillingStatus.OVERDUE: 5, BillingStatus.NONE: 3}
# The youngest and the oldest, in days, that an account with this status is made.
AGES = {
    AccountStatus.MONTHLY: (30, 900),
    AccountStatus.ANNUAL: (30, 900),
    AccountStatus.TRIAL_STARTED: (0, 8),
    AccountStatus.TRIAL_EXPIRING: (9, 13),
    AccountStatus.TRIAL_EXPIRED: (14, 19),
}


@dataclass(frozen=True, slots=True)
class Generated:
    """How many accounts were added, and how many the partner has now."""

    added: int
    total: int


def generate(
    accounts: int, partner_code: str = people.BENCH, seed: int = 7, runs: int = 0, entities: int = 0
) -> Generated:
    """Bring the partner to `accounts` accounts; those it has stay. The benchmark partner is made when missing.

    With `runs`, each new account that has backups gets a task with that many daily runs, with `entities` also one
    that holds so many. SQLite lets nobody else
    write meanwhile. Raises Invalid, NotFound for an unknown partner, Conflict where no demo belongs.
    """
    if not 0 <= accounts <= MOST:
        raise Invalid(accounts=f"Give a number from 0 to {MOST:,}.")
    if not 0 <= runs <= MOST_RUNS:
        raise Invalid(runs=f"Give a number of days from 0 to {MOST_RUNS}.")
    if not 0 <= entities <= bulk_entities.MOST:
        raise Invalid(entities=f"Give a number of entities from 0 to {bulk_entities.MOST:,}.")
    made = db.write(_generate, accounts, partner_code, seed, runs=runs, entities=entities)
    db.write(bulk.analyze)
    bulk.checkpoint()
    return made


def _generate(session: Session, accounts: int, partner_code: str, seed: int, *, runs: int, entities: int) -> Generated:
    now = clock.now().replace(microsecond=0)
    ensure_data_centers(session)
    partner_id = _partner_id(session, partner_code, now)
    had = session.scalar(select(func.count()).where(Account.partner_id == partner_id)) or 0
    missing = max(0, accounts - had)
    last_id = session.scalar(select(func.max(Account.id))) or 0
    numbers = range(last_id + 1, last_id + 1 + missing)
    with bulk.filling(session, missing):
        for rows in _chunks(session, partner_id, numbers, now, Random(seed)):  # noqa: S311
            session.execute(insert(Account.__table__), rows)
    if missing and (runs or entities):
        _add_runs(session, last_id, runs, _last_night(now))
    if missing and entities:
        bulk_entities.add(session, last_id, entities)
    _write_days(session, partner_id, _last_night(now))
    return Generated(missing, had + missing)


def _partner_id(session: Session, code: str, now: datetime) -> int:
    found = session.exec(select(Partner.id).where(Partner.code == code)).first()
    if found is not None:
        return found
    if code != people.BENCH:
        raise NotFound(f"There is no partner {code}.")
    if not is_wanted(session):
        raise Conflict("This deployment is not a demo. Set PORTAL_DEMO=1 to make demo data all the same.")
    partner = make_partner(session, people.BENCH_PARTNER, now)
    # What its accounts owe is invented, without bills: the daily work must not make any.
    session.add(BillingProfile(partner_id=partner.id, billed_through=date.max))
    make_person(session, people.BENCH_PERSON, passwords.hash_password(people.PASSWORD), now, partner_id=partner.id)
    return partner.id or 0


def _chunks(
    session: Session, partner_id: int, numbers: range, now: datetime, chooser: Random
) -> Iterator[list[dict[str, Any]]]:
    places = session.exec(select(DataCenter.id).order_by(col(DataCenter.position))).all()
    fixed = {"partner_id": partner_id, "storage_kind": "data_center", "auto_subscribe": None}
    moments = {status: [_moments(status, now, chooser) for _ in range(200)] for status in STATUSES}
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        states = zip(*(_drawn(kinds, len(chunk), chooser) for kinds in (STATUSES, BACKUPS, BILLINGS)), strict=True)
        yield [
            fixed
            | _name(one, chooser)
            | _figures(*state, chooser)
            | chooser.choice(moments[state[0]])
            | {"data_center_id": places[one % len(places)]}
            | {"last_backup_at": None if state[1] == BackupStatus.NONE else _last_night(now)}
            for one, state in zip(chunk, states, strict=True)
        ]


def _drawn(kinds: dict[Any, int], number: int, chooser: Random) -> list[Any]:
    return chooser.choices(list(kinds), cum_weights=list(accumulate(kinds.values())), k=number)


def _name(number: int, chooser: Random) -> dict[str, str]:
    first, last = chooser.choice(FIRST_NAMES), chooser.choice(LAST_NAMES)
    name = f"{first} {last} {chooser.choice(COMPANIES)} {number:07d}"
    email = f"{first}.{last}.{number}@bench.example"
    # Plain ASCII: lower() is what fold() and normal_email() would give, in a tenth of the time.
    return {"name": name, "name_key": name.lower(), "email": email, "email_key": email.lower()}


def _figures(status: AccountStatus, backup: BackupStatus, billing: BillingStatus, chooser: Random) -> dict[str, Any]:
    billing = BillingStatus.NONE if status in trials.TRIALS else billing
    owes = billing in (BillingStatus.DUE, BillingStatus.OVERDUE)
    return {
        "status": status.value,
        "backup_status": backup.value,
        "billing_status": billing.value,
        "amount_minor": chooser.randrange(1000, 91_000) if owes else 0,
        "size_bytes": 0 if backup == BackupStatus.NONE else chooser.randrange(10**6, 10**12),
    }


def _moments(status: AccountStatus, now: datetime, chooser: Random) -> dict[str, datetime | None]:
    youngest, oldest = AGES[status]
    created_at = now - timedelta(minutes=chooser.randint(youngest * 1440 + 60, oldest * 1440 + 1380))
    if status not in trials.TRIALS:
        return {"created_at": created_at, "subscribed_at": created_at, "trial_ends_at": None, "next_step_at": None}
    ends_at, _ = trials.new_trial(created_at)
    next_step_at = trials.decide(ends_at, None, None, now).next_at
    return {"created_at": created_at, "subscribed_at": None, "trial_ends_at": ends_at, "next_step_at": next_step_at}


def _last_night(now: datetime) -> datetime:
    """When the last backups ended."""
    today = datetime.combine(now.date(), HOUR, UTC) + timedelta(minutes=20)
    return today if today <= now else today - timedelta(days=1)


def _add_runs(session: Session, after_id: int, runs: int, last: datetime) -> None:
    """One task for each account made after `after_id`, with a run a day; the last one as its backup status says."""
    new = (col(Account.id) > after_id, Account.backup_status != BackupStatus.NONE)
    task = {
        "account_id": col(Account.id),
        "key": literal("files"),
        "name": literal("Server files"),
        "service": literal(Service.GENERIC.value),
        "entities": literal(1),
        "billed_entities": literal(1),
        "size_bytes": col(Account.size_bytes),
        "last_outcome": col(Account.backup_status),
        "last_finished_at": literal(last, col(Account.created_at).type),
        "created_at": col(Account.created_at),
    }
    session.execute(insert(BackupTask.__table__).from_select(list(task), select(*task.values()).where(*new)))
    for ago in reversed(range(runs)):
        _add_night(session, after_id, last - timedelta(days=ago), is_last=ago == 0)


def _add_night(session: Session, after_id: int, ended: datetime, *, is_last: bool) -> None:
    instant = col(BackupTask.created_at).type
    run = {
        "account_id": col(BackupTask.account_id),
        "task_id": col(BackupTask.id),
        "run_key": literal(f"bench-{ended:%Y%m%d}"),
        "started_at": literal(ended - timedelta(minutes=20), instant),
        "finished_at": literal(ended, instant),
        "outcome": col(BackupTask.last_outcome) if is_last else literal(Outcome.SUCCESSFUL.value),
        "added_bytes": literal(0),
        "size_bytes": col(BackupTask.size_bytes),
        "entities": literal(1),
        "entities_failed": literal(0),
        "message": literal(""),
        "received_at": literal(ended, instant),
        "told": true(),
    }
    chosen = select(*run.values()).where(col(BackupTask.account_id) > after_id)
    session.execute(insert(BackupRun.__table__).from_select(list(run), chosen))


def _write_days(session: Session, partner_id: int, last: datetime) -> None:
    """A year for the charts, as if every account had grown evenly to its present size."""
    sums = (AccountTotal.backup_status, func.sum(AccountTotal.accounts), func.sum(AccountTotal.size_bytes))
    found = session.exec(
        select(*sums).where(AccountTotal.partner_id == partner_id).group_by(col(AccountTotal.backup_status))
    ).all()
    counts = {status: int(accounts) for status, accounts, _ in found}
    size = sum(int(stored) for _, _, stored in found)
    session.execute(delete(PartnerDay).where(col(PartnerDay.partner_id) == partner_id))
    rows = [
        {"partner_id": partner_id, "day": last.date() - timedelta(days=ago), "stored_bytes": size * (730 - ago) // 730}
        | {outcome.value: counts.get(outcome.value, 0) * (730 - ago) // 730 for outcome in Outcome}
        for ago in reversed(range(DAYS))
    ]
    session.execute(insert(PartnerDay.__table__), rows)
