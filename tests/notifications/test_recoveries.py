"""Who is told that a restore or an export has ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from portal_app import db
from portal_app.models import Job, JobState
from portal_app.notifications import failures
from tests import factories
from tests.cast import Cast
from tests.notifications.news import at, entity, letters, look, mails, recipient, run, task_of

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOW)
    db.write(recipient, cast.partner_a, "recovery")


def job(session: Session, cast: Cast, kind: str, state: JobState, **given: Any) -> Job:
    account = given.pop("account", cast.accounts_a[0])
    values = {"kind": kind, "state": state, "partner_id": account.partner_id, "account_id": account.id}
    values |= {"task_id": task_of(session, account).id, "run_at": NOW, "created_at": NOW, "made_by": "bob@x.example"}
    values |= {"finished_at": NOW if state not in (JobState.WAITING, JobState.RUNNING) else None}
    return factories.save(session, Job(**values | given))


@pytest.mark.parametrize(
    ("kind", "state", "subject"),
    [
        ("restore", JobState.DONE, "Restore is done: Alpha Ash: Files of Alpha Ash"),
        ("export", JobState.FAILED, "Export failed: Alpha Ash: Files of Alpha Ash"),
        ("restore", JobState.CANCELED, "Restore was canceled: Alpha Ash: Files of Alpha Ash"),
    ],
)
def test_who_asked_for_what_and_what_came_of_it(cast: Cast, kind: str, state: JobState, subject: str) -> None:
    fault = "The bucket refused the password." if state == JobState.FAILED else ""

    def end(session: Session) -> None:
        names = ("anna@x.example", "bert@x.example")
        ids = [entity(session, cast.accounts_a[0], name, told=True).id for name in names]
        made = run(session, cast.accounts_a[0], "successful", NOW - timedelta(hours=3))
        payload, result = {"run": made.id, "entities": ids}, {"words": "12 files."} if state == JobState.DONE else {}
        job(session, cast, kind, state, payload=payload, result=result, fault=fault)

    db.write(end)
    look()
    (mail,), (letter,) = mails(), letters()
    assert (mail.recipient, mail.subject) == ("ann@readers.example", subject)
    ((name, address, remark),) = letter.items
    assert name == "Alpha Ash: Files of Alpha Ash"
    assert address == letter.action[1] == f"http://localhost:3000/accounts/{cast.accounts_a[0].id}/restore"
    what = f"{kind.capitalize()} of anna@x.example, bert@x.example as of Nov 25, 2026, 9:00 AM"
    assert remark.startswith(f"{what}, asked for by bob@x.example at Nov 25, 2026, 12:00 PM, ")
    ends = {JobState.DONE: "12 files.", JobState.FAILED: fault}
    assert remark.endswith(ends.get(state, "at Nov 25, 2026, 12:00 PM."))


@pytest.mark.parametrize(("chosen", "what"), [(0, "everything"), (1, "1 entity"), (9, "9 entities")])
def test_what_it_was_of_where_the_entities_are_gone(cast: Cast, chosen: int, what: str) -> None:
    db.write(job, cast, "restore", JobState.DONE, payload={"run": 98_765, "entities": list(range(1, chosen + 1))})
    look()
    assert f"Restore of {what}, asked for" in letters()[0].items[0][2]


def test_several_at_once_are_one_mail(cast: Cast) -> None:
    db.write(job, cast, "restore", JobState.DONE)
    db.write(job, cast, "export", JobState.DONE, task_id=None)
    look()
    (letter,) = letters()
    assert letter.subject == "2 restores and exports ended"
    assert [name for name, _, _ in letter.items] == [
        "Alpha Ash: Files of Alpha Ash",
        "Alpha Ash: a task that was deleted",
    ]


def test_it_is_told_when_it_has_ended_and_once(cast: Cast) -> None:
    made = db.write(job, cast, "restore", JobState.RUNNING)
    look()
    assert mails() == []

    def end(session: Session) -> None:
        found = session.get_one(Job, made.id)
        found.state, found.finished_at = JobState.DONE, NOW

    db.write(end)
    look()
    look()
    assert len(mails()) == 1


def test_other_jobs_other_partners_and_old_ones_are_no_news(cast: Cast) -> None:
    db.write(job, cast, "backup", JobState.DONE)
    db.write(job, cast, "restore", JobState.DONE, account=cast.accounts_b[0])
    db.write(job, cast, "restore", JobState.DONE, finished_at=NOW - failures.NEWS - timedelta(hours=1))
    look()
    assert mails() == []
