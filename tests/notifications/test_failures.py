"""Who is told of a failed backup, what, and how often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.audit.tags import Activity
from portal_app.models import AuditEvent, BackupRun, NotificationRecipient, TaskTrouble
from portal_app.notifications import failures, looking, unseen
from tests.cast import Cast
from tests.notifications.news import at, entity, later, letters, look, mails, recipient, run, task_of

pytestmark = pytest.mark.usefixtures("database")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def noon(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """It is noon, the cast's own runs are no news, and Ann hears of partner A's exceptions."""
    at(monkeypatch, NOON)

    def begin(session: Session) -> None:
        for one in session.exec(select(BackupRun)):
            one.finished_at = one.started_at = one.received_at = NOON - 3 * DAY
        recipient(session, cast.partner_a, "exceptions")

    db.write(begin)
    return monkeypatch


def test_a_failed_backup_is_told_with_its_error_and_where_to_look(cast: Cast) -> None:
    ash = cast.accounts_a[0]
    db.write(run, ash, "failed", message="The password of the mailbox was refused.")
    look()
    (mail,), (letter,) = mails(), letters()
    assert (mail.recipient, mail.subject) == ("ann@readers.example", "Backup failed: Alpha Ash: Files of Alpha Ash")
    assert letter.paragraphs[0] == "Hello Ann,"
    ((name, address, remark),) = letter.items
    task_id = db.read(task_of, ash).id
    assert name == "Alpha Ash: Files of Alpha Ash"
    assert address == f"http://localhost:3000/accounts/{ash.id}/tasks/{task_id}"
    assert remark == "Failed at Nov 25, 2026, 12:00 PM. The password of the mailbox was refused."
    assert any("Alpha put this address" in line for line in letter.small)
    audited = db.read(lambda session: session.exec(select(AuditEvent)).all())
    assert [(one.activity, one.performed_by, one.partner_id) for one in audited] == [
        (Activity.NOTIFICATION, "Portal", cast.partner_a.id)
    ]


def test_of_a_partial_one_the_entities_that_failed_are_named(cast: Cast) -> None:
    ash = cast.accounts_a[0]

    def happen(session: Session) -> None:
        entity(session, ash, "anna@x.example", outcome="failed", error="Mailbox not found")
        entity(session, ash, "bert@x.example", outcome="successful")
        run(session, ash, "partial", entities=2, entities_failed=1, message="One mailbox failed.")

    db.write(happen)
    look()
    (letter,) = letters()
    assert letter.subject == "Backup partially failed: Alpha Ash: Files of Alpha Ash"
    said = "One mailbox failed. 1 of 2 entities failed. anna@x.example: Mailbox not found."
    assert letter.items[0][2].endswith(said)


def test_what_came_together_is_one_mail_in_the_order_of_accounts(cast: Cast) -> None:
    def happen(session: Session) -> None:
        ash, birch, elm = cast.accounts_a
        run(session, elm, "failed")
        run(session, birch, "successful")
        run(session, ash, "partial")
        run(session, cast.accounts_b[0], "failed")

    db.write(happen)
    look()
    (letter,) = letters()
    assert letter.subject == "Backups: 1 failed, 1 partially failed"
    assert [name.partition(":")[0] for name, _, _ in letter.items] == ["Alpha Ash", "Alpha Elm"]


def test_each_partners_recipients_hear_of_their_own(cast: Cast) -> None:
    def happen(session: Session) -> None:
        recipient(session, cast.partner_a, "recovery", "summary", email="other@readers.example")
        recipient(session, cast.partner_b, "exceptions", email="ben@readers.example", name="Ben")
        run(session, cast.accounts_a[0], "failed")
        run(session, cast.accounts_b[0], "failed")

    db.write(happen)
    look()
    told = {mail.recipient: mail for mail in mails()}
    assert told.keys() == {"ann@readers.example", "ben@readers.example"}
    assert "Beta" not in told["ann@readers.example"].subject
    assert "Beta Oak" in told["ben@readers.example"].subject
    assert told["ben@readers.example"].partner_id == cast.partner_b.id


def test_success_is_no_news(cast: Cast) -> None:
    db.write(run, cast.accounts_a[0], "successful")
    look()
    assert mails() == []


def test_what_keeps_failing_is_told_once_a_day_and_its_recovery_once(cast: Cast, noon: pytest.MonkeyPatch) -> None:
    ash = cast.accounts_a[0]
    for outcome, pause in (
        ("failed", HOUR),
        ("failed", HOUR),  # the same day: not again
        ("partial", DAY),
        ("failed", DAY),
        ("failed", HOUR),
        ("successful", HOUR),
        ("successful", HOUR),
        ("failed", HOUR),
    ):
        db.write(run, ash, outcome)
        look()
        later(noon, pause)
    assert [mail.subject.partition(":")[0] for mail in mails()] == [
        "Backup failed",
        "Backup failed",
        "Backup failed",
        "Backup successful again",
        "Backup failed",
    ]


def test_since_when_it_fails_is_told(cast: Cast, noon: pytest.MonkeyPatch) -> None:
    ash = cast.accounts_a[0]
    for outcome in ("failed", "failed", "successful"):
        db.write(run, ash, outcome)
        look()
        later(noon, DAY)
    first, again, well = (letter.items[0][2] for letter in letters())
    since = "since Nov 25, 2026, 12:00 PM"
    assert since not in first
    assert f"Failed at Nov 26, 2026, 12:00 PM, failing {since}" in again
    assert well == f"Successful again at Nov 27, 2026, 12:00 PM, had failed {since}."
    assert db.read(lambda session: session.exec(select(TaskTrouble)).all()) == []


def test_a_failure_that_was_mended_before_anybody_looked_is_told_as_such(cast: Cast) -> None:
    db.write(run, cast.accounts_a[0], "failed", NOON - HOUR)
    db.write(run, cast.accounts_a[0], "successful", NOON)
    look()
    (letter,) = letters()
    assert letter.items[0][2] == "Successful again at Nov 25, 2026, 12:00 PM, after a run that failed."


def test_an_old_failure_that_is_reported_late_does_not_hide_the_newest_run(cast: Cast) -> None:
    db.write(run, cast.accounts_a[0], "successful", NOON)
    look()
    db.write(run, cast.accounts_a[0], "failed", NOON - failures.NEWS - HOUR, received_at=NOON)
    look()
    assert mails() == []


def test_without_a_recipient_nothing_is_queued_and_nothing_is_left_to_tell(cast: Cast) -> None:
    db.write(run, cast.accounts_b[0], "failed")
    look()
    db.write(recipient, cast.partner_b, "exceptions")
    look()
    assert mails() == []


def test_who_comes_later_is_not_told_that_old_trouble_has_ended(cast: Cast, noon: pytest.MonkeyPatch) -> None:
    ash = cast.accounts_a[0]
    db.write(run, ash, "failed")
    look()
    db.write(lambda session: session.delete(session.exec(select(NotificationRecipient)).one()))
    later(noon, HOUR)
    db.write(run, ash, "failed")
    look()
    db.write(recipient, cast.partner_a, "exceptions")
    later(noon, HOUR)
    db.write(run, ash, "successful")
    look()
    assert len(mails()) == 1


# Faults


def test_two_looks_tell_once(cast: Cast) -> None:
    db.write(run, cast.accounts_a[0], "failed")
    look()
    look()
    assert len(mails()) == 1


def test_who_dies_before_the_commit_loses_nothing(cast: Cast) -> None:
    db.write(run, cast.accounts_a[0], "failed")

    def die(session: Session) -> None:
        assert failures.tell(session) > 0
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(die)
    assert mails() == []
    look()
    assert len(mails()) == 1


def test_a_backlog_is_looked_at_in_batches(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "RUNS", replace(unseen.RUNS, most=2))
    monkeypatch.setattr(failures, "RUNS", looking.RUNS)
    db.write(lambda session: [run(session, account, "failed") for account in cast.accounts_a])
    look()
    told = [name for letter in letters() for name, _, _ in letter.items]
    assert sorted(name.partition(":")[0] for name in told) == ["Alpha Ash", "Alpha Birch", "Alpha Elm"]
    untold = select(BackupRun).where(BackupRun.told.is_(False))
    assert db.read(lambda session: session.exec(untold).all()) == []


def test_more_than_a_mail_can_show_is_counted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal_app.notifications.letters.SHOWN", 2)
    db.write(lambda session: [run(session, account, "failed") for account in cast.accounts_a])
    look()
    (letter,) = letters()
    assert letter.items[-1] == ("", "", "and 1 more")
    assert clock.now() == NOON
