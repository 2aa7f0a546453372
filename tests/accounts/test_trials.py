"""The trial rules: the boundaries, whole lives, deletion."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from portal_app import db
from portal_app.accounts import trials
from portal_app.accounts.trials import Counts, Notice, Step, decide
from portal_app.audit import chain
from portal_app.errors import Conflict, NotFound
from portal_app.models import Account, AccountStatus, AuditEvent, DeletedAccount, TrialNotice
from tests import factories
from tests.jobs.lives import trial, warn

BEGUN = datetime(2026, 3, 10, 12, tzinfo=UTC)
ENDS = BEGUN + timedelta(days=14)
DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
STARTED, EXPIRING, EXPIRED = AccountStatus.TRIAL_STARTED, AccountStatus.TRIAL_EXPIRING, AccountStatus.TRIAL_EXPIRED


def test_a_new_trial_ends_after_14_days_and_expires_in_the_last_5() -> None:
    assert trials.new_trial(BEGUN, None) == (ENDS, BEGUN + 9 * DAY)


@pytest.mark.parametrize(
    ("at", "step"),
    [
        (BEGUN, Step(STARTED, None, ENDS - 5 * DAY)),
        (ENDS - 5 * DAY - TICK, Step(STARTED, None, ENDS - 5 * DAY)),
        (ENDS - 5 * DAY, Step(EXPIRING, Notice.FIVE_DAYS, ENDS - DAY)),
        (ENDS - DAY - TICK, Step(EXPIRING, Notice.FIVE_DAYS, ENDS - DAY)),
        (ENDS - DAY, Step(EXPIRING, Notice.ONE_DAY, ENDS)),
        (ENDS - TICK, Step(EXPIRING, Notice.ONE_DAY, ENDS)),
        (ENDS, Step(EXPIRED, Notice.ENDED, ENDS + 6 * DAY)),
        (ENDS + 6 * DAY - TICK, Step(EXPIRED, Notice.ENDED, ENDS + 6 * DAY)),
        (ENDS + 6 * DAY, Step(EXPIRED, Notice.DELETION, ENDS + 7 * DAY)),
        (ENDS + 9 * DAY, Step(EXPIRED, Notice.DELETION, ENDS + 10 * DAY)),
    ],
)
def test_boundaries_of_an_unwarned_trial(at: datetime, step: Step) -> None:
    assert decide(ENDS, None, None, at) == step


@pytest.mark.parametrize("plan", [AccountStatus.MONTHLY, AccountStatus.ANNUAL])
def test_an_auto_subscription_becomes_one_at_the_end(plan: AccountStatus) -> None:
    assert decide(ENDS, plan, None, ENDS - TICK).status == EXPIRING
    assert decide(ENDS, plan, None, ENDS) == Step(plan, Notice.SUBSCRIBED, None)
    assert decide(ENDS, plan, None, ENDS + 400 * DAY) == Step(plan, Notice.SUBSCRIBED, None)


@pytest.mark.parametrize(
    ("warned", "deletes"),
    [(ENDS + 6 * DAY, ENDS + 7 * DAY), (ENDS + 2 * DAY, ENDS + 7 * DAY), (ENDS + 9 * DAY, ENDS + 10 * DAY)],
)
def test_deletion_waits_for_the_grace_and_for_a_day_of_warning(warned: datetime, deletes: datetime) -> None:
    assert decide(ENDS, None, warned, deletes - TICK) == Step(EXPIRED, Notice.DELETION, deletes)
    assert decide(ENDS, None, warned, deletes) == Step(None, None, None)


def life(session: Session, plan: str | None, wakes: list[datetime]) -> tuple[dict[datetime, Any], int]:
    """Wake the rules at these instants: what there was to see after each, and the account's id."""
    account_id = trial(session, factories.partner(session), BEGUN, plan).id
    seen: dict[datetime, Any] = {}
    for wake in wakes:
        while trials.advance(session, wake).seen:
            pass
        account = session.get(Account, account_id)
        seen[wake] = account and (account.status, account.subscribed_at)
    return seen, account_id


def effects(session: Session, account_id: int) -> dict[str, Any]:
    chain.write(session)
    notices = session.exec(select(TrialNotice).where(TrialNotice.account_id == account_id))
    audit = session.exec(select(AuditEvent).where(AuditEvent.account_id == account_id))
    tombs = session.exec(select(DeletedAccount).where(DeletedAccount.account_id == account_id))
    return {
        "notices": {n.kind: n.made_at for n in notices},
        "audit": [(e.activity, e.performed_by, e.partner_id is not None) for e in audit],
        "deleted": [t.deleted_at for t in tombs],
    }


HOURS = [BEGUN + n * HOUR for n in range(24 * 24)]


@pytest.fixture(scope="module")
def hourly() -> dict[str | None, tuple[dict[datetime, Any], dict[str, Any]]]:
    return {}


def reference(session: Session, plan: str | None, known: dict) -> tuple[dict[datetime, Any], dict[str, Any]]:
    """The life of a trial whose rules wake every hour; lived once for all examples."""
    if plan not in known:
        seen, account_id = life(session, plan, HOURS)
        known[plan] = seen, effects(session, account_id)
        session.rollback()
    return known[plan]


def test_a_life_watched_hourly(database: Path) -> None:
    with Session(db.engine()) as session:
        seen, done = reference(session, None, {})
        assert done["notices"] == {
            Notice.FIVE_DAYS: ENDS - 5 * DAY,
            Notice.ONE_DAY: ENDS - DAY,
            Notice.ENDED: ENDS,
            Notice.DELETION: ENDS + 6 * DAY,
        }
        assert done["deleted"] == [ENDS + 7 * DAY]
        assert done["audit"] == [("Trial canceled", "Portal", True)]
        assert [seen[ENDS + 7 * DAY - HOUR], seen[ENDS + 7 * DAY]] == [(EXPIRED, None), None]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plan=st.sampled_from([None, "monthly", "annual"]),
    minutes=st.lists(st.integers(0, 23 * 24 * 60), min_size=1, max_size=9).map(sorted),
)
def test_any_wakes_end_as_waking_every_hour(database: Path, hourly: dict, plan: str | None, minutes: list[int]) -> None:
    wakes = [BEGUN + timedelta(minutes=n) for n in minutes]
    with Session(db.engine()) as session:
        known, ideal = reference(session, plan, hourly)
        seen, account_id = life(session, plan, wakes)
        done = effects(session, account_id)
        session.rollback()
    warned = done["notices"].get(Notice.DELETION)
    for wake, state in seen.items():
        put_off = known[_hour(wake)] is None and (warned is None or wake < warned + DAY)
        assert state == ((EXPIRED, None) if put_off else known[_hour(wake)])
    assert done["notices"] == _first_wakes(wakes, ideal["notices"])
    gone = [wake for wake in wakes if warned and wake >= max(ENDS + 7 * DAY, warned + DAY)]
    assert done["deleted"] == gone[:1]
    activity = "Subscribed" if plan else "Trial canceled"
    over = wakes[-1] >= ENDS if plan else bool(gone)
    assert done["audit"] == [(activity, "Portal", True)] * over


def _hour(wake: datetime) -> datetime:
    return wake.replace(minute=0)


def _first_wakes(wakes: list[datetime], ideal: dict[str, datetime]) -> dict[str, datetime]:
    """Each notice at the first wake of its stretch; none of a stretch that nobody was awake in."""
    starts = [*sorted(ideal.items(), key=lambda pair: pair[1]), ("", datetime.max.replace(tzinfo=UTC))]
    stretches = pairwise(starts)
    found = {kind: [w for w in wakes if start <= w < end] for (kind, start), (_, end) in stretches}
    return {kind: inside[0] for kind, inside in found.items() if inside}


def test_a_batch_takes_the_longest_due_first_and_no_more_than_its_limit(database: Path) -> None:
    with db.writing() as session:
        of = factories.partner(session)
        ids = [trial(session, of, BEGUN - n * DAY).id for n in range(3)]
    assert db.write(trials.advance, BEGUN + 10 * DAY, 2) == Counts(seen=2, expiring=2, notices=2)
    with db.reading() as session:
        assert [session.get(Account, n).status for n in ids] == [STARTED, EXPIRING, EXPIRING]


def test_a_notice_that_was_made_is_not_made_again(database: Path) -> None:
    with db.writing() as session:
        account = trial(session, factories.partner(session), BEGUN)
        warn(session, account, ENDS + 5 * DAY)
    assert db.write(trials.advance, ENDS + 6 * DAY) == Counts(seen=1, expired=1)
    with db.reading() as session:
        assert session.exec(select(TrialNotice)).one().made_at == ENDS + 5 * DAY


def test_deleting_what_is_gone_is_told(database: Path) -> None:
    with db.writing() as session:
        account = trial(session, factories.partner(session), BEGUN)
        trials.delete_account(session, trials.system(), account, trials.TRIAL_ENDED)
        with pytest.raises(Conflict):
            trials.delete_account(session, trials.system(), account, trials.TRIAL_ENDED)
        with pytest.raises(NotFound):
            trials.lock_trial(session, account.id)
