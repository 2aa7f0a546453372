"""An account's activity: who reads what, in which order, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.permissions import Permission
from portal_app.backups import activity_reading, tasks
from portal_app.backups.activity_query import ActivityQuery, Kind, Mark
from portal_app.backups.service import record_run
from portal_app.errors import Denied, NotFound
from portal_app.models import Job, JobState
from tests.backups.conftest import Cast, report, without
from tests.backups.test_tasks import FILES

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def add_job(session: Session, cast: Cast, minute: int, kind: str = "backup", **given: Any) -> None:
    at = NOON + timedelta(minutes=minute)
    values = {"state": JobState.DONE, "run_at": at, "created_at": at, "made_by": "Alice"} | given
    session.add(Job(kind=kind, partner_id=cast.partner_id, account_id=cast.account, **values))
    session.flush()


def read(cast: Cast, **asked: Any) -> activity_reading.ActivityPage:
    return db.read(activity_reading.page, asked.pop("who", cast.alice), ActivityQuery(cast.account, **asked))


def whats(page: activity_reading.ActivityPage) -> list[str]:
    return [row.what for row in page.rows]


def test_nobody_without_access_and_no_stranger(cast: Cast) -> None:
    with pytest.raises(Denied):
        read(cast, who=without(cast.alice, Permission.ACCOUNTS_ACCESS))
    with pytest.raises(NotFound):
        read(cast, who=cast.charlie)
    with pytest.raises(NotFound):
        db.read(activity_reading.page, cast.customer, ActivityQuery(cast.other_account))
    assert read(cast, who=cast.customer).rows == []


def test_all_kinds_stand_in_one_list_newest_first(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    db.write(tasks.add, cast.alice, cast.account, FILES)
    db.write(record_run, cast.engine, report(cast, finished=NOON + timedelta(minutes=1), message="Two failed."))
    db.write(add_job, cast, 2, kind="restore", fault="The disk is full.", state=JobState.FAILED)
    db.write(add_job, cast, 3, kind="export", result={"words": "Ready."}, progress={"words": "hr (1 of 2)"})
    db.write(add_job, cast, 4, result={"outcome": "partial"})
    db.write(add_job, cast, 5, state=JobState.RUNNING, progress={"words": "Copying"})
    # Others' work, and work of other kinds, is not told of here.
    db.write(add_job, cast, 6, kind="forget")
    page = read(cast)
    assert [(row.what, row.state, row.words) for row in page.rows] == [
        ("Backup", "running", "Copying"),
        ("Backup", "partial", ""),
        ("Export", "done", "Ready."),
        ("Restore", "failed", "The disk is full."),
        ("Backup", "successful", "Two failed."),
        ("Backup tasks", "", "Added the backup task Files."),
    ]
    assert whats(read(cast, kind=Kind.RESTORE)) == ["Restore"]
    assert whats(read(cast, kind=Kind.BACKUP)) == ["Backup"] * 3
    assert whats(read(cast, kind=Kind.CHANGE)) == ["Backup tasks"]
    assert read(cast, kind=Kind.CHANGE).rows[0].by == cast.alice.email


def test_no_word_of_money(cast: Cast) -> None:
    def tell(session: Session) -> None:
        for activity in Activity:
            record(session, cast.alice, activity, "12 EUR", account=(cast.account, "x"), partner_id=cast.partner_id)

    db.write(tell)
    told = set(whats(read(cast, size=100)))
    assert Activity.ACCOUNT_ACCESSED in told
    assert told.isdisjoint({Activity.SUBSCRIBED, Activity.BILLING_DETAILS, Activity.TRIAL_CANCELED})
    # They are told of as jobs.
    assert told.isdisjoint({Activity.BACKUP_RUN, Activity.DATA_RESTORE})


def test_pages_neither_lose_nor_repeat_a_row_even_of_one_instant(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    for number in range(9):
        db.write(add_job, cast, number % 2)
        db.write(record_run, cast.engine, report(cast, run=f"run-{number}", finished=NOON))
        about = (cast.account, "x")
        db.write(record, cast.alice, Activity.BACKUP_TASKS, str(number), account=about, partner_id=cast.partner_id)
    every = [row.mark for row in read(cast, size=100).rows]
    assert len(set(every)) == 27
    assert every == sorted(every, reverse=True)
    seen: list[Mark] = []
    before: Mark | None = None
    while True:
        page = read(cast, size=4, before=before)
        seen += [row.mark for row in page.rows]
        if not page.older:
            break
        before = page.rows[-1].mark
    assert seen == every


def test_the_address_holds_kind_size_and_place() -> None:
    mark = Mark(NOON + timedelta(microseconds=7), 2, 41)
    query = ActivityQuery(7, kind="export", size=50)
    assert query.address(mark) == f"/accounts/7/activity?kind=export&size=50&before={mark}"
    given = {"kind": "export", "size": "50", "before": str(mark)}
    assert ActivityQuery.from_address(given, 7) == ActivityQuery(7, "export", mark, 50)
    for nonsense in ("1-2", "a-b-c", "1-2-3-4", "-1-2-3", "9" * 40 + "-1-1", "9999999999999999-1-1"):
        found = ActivityQuery.from_address({"before": nonsense, "kind": "x", "size": "7"}, 7)
        assert found in (ActivityQuery(7), ActivityQuery(7, before=found.before)), nonsense
