"""The daily work: each day once, in order, by one holder, from wherever it stopped."""

from datetime import date, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from sqlmodel import select

from portal_app import clock, db
from portal_app.accounts import trials
from portal_app.errors import Invalid
from portal_app.jobs import cycle
from portal_app.jobs.cycle import Outcome
from portal_app.models import CycleRun, DeletedAccount, LoginSession, LoginTicket, TrialNotice
from portal_app.settings import reset_settings
from tests import factories
from tests.jobs.lives import NOW, at, fill, outcome, trial, warn

TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", at(NOW))


def keep(day: date, **given: Any) -> None:
    values = {"holder": "other:1:a", "held_until": NOW - DAY, "started_at": NOW - DAY, "finished_at": None}
    with db.writing() as session:
        session.add(CycleRun(**{"day": day} | values | given))


def runs() -> dict[date, CycleRun]:
    with db.reading() as session:
        return {run.day: run for run in session.exec(select(CycleRun))}


def test_first_run_does_today_and_says_what() -> None:
    with db.writing() as session:
        fill(session, 36)
    done = cycle.run_cycle()
    assert (done.outcome, done.days) == (Outcome.DONE, (TODAY,))
    assert runs()[TODAY].counts == done.counts.as_dict()
    assert done.counts.seen == 30
    assert str(done.counts.subscribed) + " subscribed" in done.sentence


def test_second_run_finds_the_day_done_and_changes_nothing() -> None:
    with db.writing() as session:
        fill(session, 18)
    cycle.run_cycle()
    before = outcome()
    again = cycle.run_cycle()
    assert again.outcome == Outcome.ALREADY
    assert again.sentence == "The work of 2026-03-10 is done already."
    assert outcome() == before


def test_a_past_day_that_is_done_says_so() -> None:
    keep(TODAY - DAY, finished_at=NOW)
    assert cycle.run_cycle(TODAY - 3 * DAY).sentence == "The work of 2026-03-07 is done already."
    assert set(runs()) == {TODAY - DAY}


def test_a_day_held_by_a_living_process_is_left_alone() -> None:
    keep(TODAY, held_until=NOW + timedelta(seconds=1))
    with db.writing() as session:
        fill(session, 6)
    before = outcome()
    found = cycle.run_cycle()
    assert found.sentence == "Another process is doing the work of 2026-03-10."
    assert outcome() == before
    assert runs()[TODAY].holder == "other:1:a"


@pytest.mark.parametrize(
    "held_until", [NOW, NOW + 2 * cycle.LEASE + timedelta(seconds=1)], ids=["lapsed", "clock back"]
)
def test_a_dead_holders_day_is_taken_over_and_its_counts_kept(held_until: datetime) -> None:
    keep(TODAY, held_until=held_until, counts={"seen": 5, "expired": 5})
    with db.writing() as session:
        trial(session, factories.partner(session), NOW - 15 * DAY)
    assert cycle.run_cycle().counts == trials.Counts(seen=1, expired=1, notices=1)
    run = runs()[TODAY]
    assert (run.counts["expired"], run.finished_at) == (6, NOW)


class Thief(Event):
    """Asked for the second time (after a batch) it takes the day over, as another process would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.asked, self.patch = 0, monkeypatch

    def is_set(self) -> bool:
        self.asked += 1
        self.patch.setattr(clock, "now", at(NOW + self.asked * timedelta(minutes=1)))
        if self.asked == 2:
            with db.writing() as session:
                run = session.get(CycleRun, TODAY)
                assert run
                run.holder = "thief:2:b"
        return False


def test_a_holder_that_was_replaced_stops_without_further_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "BATCH", 4)
    with db.writing() as session:
        fill(session, 30)
    assert cycle.run_cycle(stop=Thief(monkeypatch)).outcome == Outcome.BUSY
    run = runs()[TODAY]
    assert (run.holder, run.counts["seen"], run.finished_at) == ("thief:2:b", 4, None)
    assert run.held_until == NOW + timedelta(minutes=1) + cycle.LEASE


def test_a_stopped_run_lets_go_and_the_next_goes_on() -> None:
    with db.writing() as session:
        fill(session, 18)
    before = outcome()
    stop = Event()
    stop.set()
    assert cycle.run_cycle(stop=stop).sentence.startswith("Stopped in the work of 2026-03-10")
    assert outcome() == before
    assert cycle.run_cycle().outcome == Outcome.DONE


def test_a_run_that_fails_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(trials, "advance", lambda *_: 1 / 0)
        cycle.run_cycle()
    assert cycle.run_cycle().outcome == Outcome.DONE


def test_asleep_for_a_week_goes_straight_to_the_right_state() -> None:
    keep(TODAY - 7 * DAY, finished_at=NOW - 7 * DAY)
    with db.writing() as session:
        of = factories.partner(session)
        expired = trial(session, of, NOW - 16 * DAY).id
        paid = trial(session, of, NOW - 16 * DAY, "annual").id
        unwarned = trial(session, of, NOW - 24 * DAY).id
        warned = trial(session, of, NOW - 24 * DAY)
        warn(session, warned, NOW - 4 * DAY)
    done = cycle.run_cycle()
    assert done.days == tuple(TODAY - n * DAY for n in range(6, -1, -1))
    found = outcome()
    status = {key: (kind, since) for key, kind, since in found["accounts"]}
    assert status[expired] == ("trial_expired", None)
    assert status[paid] == ("annual", NOW - 2 * DAY)
    assert status[unwarned] == ("trial_expired", None)
    assert found["deleted"] == [(warned.id, trials.TRIAL_ENDED)]
    kinds = {(expired, "trial_ended"), (paid, "trial_subscribed"), (unwarned, "one_day_before_deletion")}
    assert set(found["notices"]) == kinds | {(warned.id, "one_day_before_deletion")}


def test_a_put_off_deletion_follows_a_day_after_its_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        trial(session, factories.partner(session), NOW - 40 * DAY)
    cycle.run_cycle()
    monkeypatch.setattr(clock, "now", at(NOW + DAY - timedelta(microseconds=1)))
    cycle.run_cycle()
    assert not cycle.sweep(clock.now()).seen
    monkeypatch.setattr(clock, "now", at(NOW + DAY))
    assert cycle.sweep(clock.now()).deleted == 1


def test_clock_set_back_a_day_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        fill(session, 36)
    cycle.run_cycle()
    before = outcome()
    monkeypatch.setattr(clock, "now", at(NOW - DAY))
    assert cycle.run_cycle().outcome == Outcome.ALREADY
    assert not cycle.sweep(clock.now()).seen
    assert outcome() == before


def test_a_real_deployment_refuses_the_future(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.writing() as session:
        factories.partner(session)
    with pytest.raises(Invalid, match="2026-03-11 is in the future: only a demo"):
        cycle.run_cycle(TODAY + DAY)
    monkeypatch.setenv("PORTAL_DEMO", "1")
    reset_settings()
    with pytest.raises(Invalid, match="too far ahead"):
        cycle.run_cycle(date.max)
    assert runs() == {}


def test_a_demo_shows_a_trials_whole_life_day_by_day() -> None:
    with db.writing() as session:
        trial(session, factories.partner(session, is_demo=True), NOW)
    assert cycle.run_cycle(TODAY + 22 * DAY).counts.deleted == 1
    assert len(runs()) == 23
    with db.reading() as session:
        made = {n.kind: n.made_at.date() - TODAY for n in session.exec(select(TrialNotice))}
        assert {kind: gap.days for kind, gap in made.items()} == {
            "five_days_left": 9,
            "one_day_left": 13,
            "trial_ended": 14,
            "one_day_before_deletion": 20,
        }
        assert session.exec(select(DeletedAccount)).one().deleted_at.date() == TODAY + 21 * DAY


def test_ended_sign_ins_are_forgotten() -> None:
    with db.writing() as session:
        person = factories.user(session, factories.partner(session))
        for name, ends_at in (("over", NOW), ("on", NOW + DAY)):
            token = {"token_hash": name, "created_at": NOW, "used_at": NOW, "ends_at": ends_at}
            session.add(LoginSession(user_id=person.id, **token))
            session.add(LoginTicket(ticket_hash=name, user_id=person.id, ends_at=ends_at))
    cycle.run_cycle()
    with db.reading() as session:
        assert session.exec(select(LoginSession.token_hash)).all() == ["on"]
        assert session.exec(select(LoginTicket.ticket_hash)).all() == ["on"]


def test_others_get_a_chance_to_write_between_full_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    class Waits(Event):
        waited: list[float | None] = []

        def wait(self, timeout: float | None = None) -> bool:
            self.waited.append(timeout)
            return False

    monkeypatch.setattr(trials, "BATCH", 10)
    monkeypatch.setattr(cycle, "PAUSE_SECONDS", 7)
    with db.writing() as session:
        fill(session, 30)
    assert cycle.sweep(NOW, Waits()).seen == 25
    assert Waits.waited == [7, 7]
