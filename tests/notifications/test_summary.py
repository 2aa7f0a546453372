"""When the summary is due, what it counts, and how its details come."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.errors import NotFound
from portal_app.files import service as files
from portal_app.jobs import loop
from portal_app.mail import delivery
from portal_app.models import BackupRun, NotificationSettings, StoredFile
from portal_app.notifications import summary
from portal_app.notifications.periods import last_end
from tests.cast import Cast
from tests.mail.servers import Mailbox
from tests.notifications.news import at, letters, look, mails, recipient, run, settings, task_of

pytestmark = pytest.mark.usefixtures("database")
# A Wednesday.
SIX = datetime(2026, 11, 25, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def morning(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Five past six; the cast's own runs are long ago, and so are its tasks."""
    at(monkeypatch, SIX + timedelta(minutes=5))

    def begin(session: Session) -> None:
        for one in session.exec(select(BackupRun)):
            one.finished_at = one.started_at = one.received_at = SIX - 60 * DAY
        for account in (*cast.accounts_a, *cast.accounts_b):
            task_of(session, account).created_at = SIX - 60 * DAY

    db.write(begin)
    return monkeypatch


def told_until(cast: Cast, instant: datetime = SIX - DAY, **given: Any) -> None:
    """Ann gets summaries, and the last one told of all until then."""

    def begin(session: Session) -> None:
        recipient(session, cast.partner_a, "summary")
        settings(session, cast.partner_a, summarised_until=instant, **given)

    db.write(begin)


def lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def details() -> list[list[str]]:
    (kept,) = db.read(lambda session: session.exec(select(StoredFile)).all())
    return lines(files.path_of(kept).read_bytes())


# When


@pytest.mark.parametrize(
    ("frequency", "zone", "now", "end"),
    [
        ("daily", "UTC", "2026-11-25T06:00", "2026-11-25T06:00"),
        ("daily", "UTC", "2026-11-25T05:59", "2026-11-24T06:00"),
        ("daily", "America/New_York", "2026-11-25T11:30", "2026-11-25T06:00"),
        ("daily", "America/New_York", "2026-11-25T10:30", "2026-11-24T06:00"),
        ("daily", "Europe/Berlin", "2026-03-29T04:30", "2026-03-29T06:00"),  # the clocks went forward at two
        ("weekly", "UTC", "2026-11-25T06:00", "2026-11-23T06:00"),
        ("weekly", "UTC", "2026-11-23T05:00", "2026-11-16T06:00"),
        ("monthly", "UTC", "2026-11-25T06:00", "2026-11-01T06:00"),
        ("monthly", "Asia/Tokyo", "2026-03-31T21:30", "2026-04-01T06:00"),
    ],
)
def test_the_end_of_the_last_period(frequency: str, zone: str, now: str, end: str) -> None:
    found = last_end(frequency, zone, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(end).replace(tzinfo=ZoneInfo(zone))


def test_a_new_reader_waits_for_the_end_of_the_period_that_runs(cast: Cast, morning: pytest.MonkeyPatch) -> None:
    db.write(recipient, cast.partner_a, "summary")
    db.write(run, cast.accounts_a[0], "successful")
    look()
    assert mails() == []
    at(morning, SIX + DAY - timedelta(minutes=1))
    look()
    assert mails() == []
    at(morning, SIX + DAY)
    look()
    look()
    assert [mail.recipient for mail in mails()] == ["ann@readers.example"]
    at(morning, SIX + 2 * DAY)
    look()
    assert len(mails()) == 2


def test_days_on_which_nobody_looked_are_one_summary(cast: Cast) -> None:
    told_until(cast, SIX - 3 * DAY)
    db.write(run, cast.accounts_a[0], "failed", SIX - 2 * DAY)
    look()
    (letter,) = letters()
    assert "From Nov 22, 2026, 6:00 AM to Nov 25, 2026, 6:00 AM" in letter.paragraphs[1]
    assert "1 failed" in letter.subject


@pytest.mark.parametrize(("frequency", "words"), [("weekly", "last week"), ("monthly", "last month")])
def test_weekly_and_monthly(cast: Cast, morning: pytest.MonkeyPatch, frequency: str, words: str) -> None:
    now = datetime(2026, 12, 7 if frequency == "weekly" else 1, 6, tzinfo=UTC)
    told_until(cast, SIX - 30 * DAY, frequency=frequency)
    at(morning, now)
    look()
    assert words in letters()[0].subject


# What


def fill(cast: Cast) -> None:
    """Ash failed, Birch was partial and is well again, Elm was silent."""

    def happen(session: Session) -> None:
        ash, birch, elm = cast.accounts_a
        run(session, ash, "failed", SIX - HOUR, message="=Disk full, twice", entities=3, entities_failed=3)
        run(session, birch, "partial", SIX - 5 * HOUR)
        run(session, birch, "successful", SIX - 4 * HOUR, entities=2)
        task = task_of(session, elm)
        task.last_finished_at, task.size_bytes = SIX - 3 * DAY, 1_000
        session.add(task)
        run(session, cast.accounts_b[0], "failed", SIX - HOUR)

    db.write(happen)


def test_it_counts_tasks_and_names_exceptions_first(cast: Cast) -> None:
    told_until(cast)
    fill(cast)
    look()
    (letter,) = letters()
    assert letter.subject == "Backups of the last day: 1 failed, 1 without a backup"
    counted = "of 3 backup tasks, 1 successful, 0 partially failed, 1 failed, 1 without a backup."
    assert letter.paragraphs[1].endswith(counted)
    assert [(name.partition(":")[0], remark.partition(" at ")[0]) for name, _, remark in letter.items] == [
        ("Alpha Ash", "Failed"),
        ("Alpha Elm", "No backup: last one Nov 22, 2026, 6:00 AM"),
        ("Alpha Birch", "Successful"),
    ]
    header, *rows = details()
    assert ",".join(header) == "Account,Email,Service,Task,Status,Last Backup,Entities,Failed,Size,Message"
    ash, birch, elm = ((one.name, one.email, "Generic", f"Files of {one.name}") for one in cast.accounts_a)
    assert rows == [
        [*ash, "Failed", "2026-11-25T05:00:00Z", "3", "3", "0", "'=Disk full, twice"],
        [*birch, "Successful", "2026-11-25T02:00:00Z", "2", "0", "0", ""],
        [*elm, "No backup", "", "0", "0", "1000", ""],
    ]


def test_exceptions_only(cast: Cast) -> None:
    told_until(cast, exceptions_only=True)
    fill(cast)
    look()
    (letter,) = letters()
    assert len(letter.items) == 2
    assert [row[0] for row in details()[1:]] == ["Alpha Ash", "Alpha Elm"]


def test_nothing_wrong_is_said_too(cast: Cast) -> None:
    told_until(cast, exceptions_only=True)
    db.write(lambda session: [run(session, one, "successful", SIX - HOUR) for one in cast.accounts_a])
    look()
    (letter,) = letters()
    assert (letter.subject, letter.items) == ("Backups of the last day: all successful", ())


def test_a_task_whose_turn_it_was_not_is_no_exception(cast: Cast) -> None:
    told_until(cast)

    def happen(session: Session) -> None:
        ash, birch, elm = (task_of(session, one) for one in cast.accounts_a)
        ash.every, ash.last_finished_at = "weekly", SIX - 6 * DAY
        birch.active = False
        elm.last_finished_at = SIX - DAY - HOUR
        session.add_all((ash, birch, elm))

    db.write(happen)
    look()
    assert "2 tasks had no backup due." in letters()[0].paragraphs[1]


def test_what_was_received_after_the_end_is_in_the_next_one(cast: Cast, morning: pytest.MonkeyPatch) -> None:
    told_until(cast)
    db.write(run, cast.accounts_a[0], "failed", SIX - HOUR, received_at=SIX + HOUR)
    look()
    at(morning, SIX + DAY)
    look()
    first, second = letters()
    assert "failed" not in first.subject
    assert "1 failed" in second.subject


# How


def deliver() -> None:
    asyncio.run(delivery.deliver(loop.attach))


def test_the_details_are_attached(cast: Cast, mailbox: Mailbox) -> None:
    told_until(cast)
    fill(cast)
    look()
    deliver()
    ((to, message),) = mailbox.taken
    assert to == "ann@readers.example"
    (file,) = message.iter_attachments()
    assert (file.get_content_type(), file.get_filename()) == ("text/csv", "backup-summary-2026-11-25.csv")
    assert lines(file.get_payload(decode=True)) == details()
    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content()
        assert "Hello Ann," in body
        assert f"/accounts/{cast.accounts_a[0].id}/tasks/" in body


def test_or_a_link_for_who_sees_all_accounts(cast: Cast, mailbox: Mailbox) -> None:
    told_until(cast, detail="link")
    fill(cast)
    look()
    deliver()
    ((_, message),) = mailbox.taken
    assert list(message.iter_attachments()) == []
    (file,) = db.read(lambda session: session.exec(select(StoredFile)).all())
    assert f"http://localhost:3000/files/{file.id}" in message.get_body(("plain",)).get_content()
    assert file.ends_at - file.made_at == 7 * DAY
    assert db.read(files.find, cast.actor("alice"), file.id)
    for name in ("bob", "carol", "nina", "dave", "mallory", "olga"):
        with pytest.raises(NotFound):
            db.read(files.find, cast.actor(name), file.id)


def test_what_is_too_large_for_a_mail_is_a_link_as_well(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ATTACHED_AT_MOST", 10)
    told_until(cast)
    look()
    (letter,) = letters()
    assert letter.attachments == ()
    assert "/files/" in letter.action[1]


def test_each_reader_by_name_and_other_partners_not_at_all(cast: Cast) -> None:
    told_until(cast)
    db.write(recipient, cast.partner_a, "summary", email="bea@readers.example", name="Bea")
    db.write(recipient, cast.partner_a, "recovery", email="cai@readers.example")
    look()
    assert [letter.paragraphs[0] for letter in letters()] == ["Hello Ann,", "Hello Bea,"]


# Faults


def test_of_two_that_are_at_it_at_once_one_sends(cast: Cast, data_dir, monkeypatch: pytest.MonkeyPatch) -> None:
    told_until(cast)
    fill(cast)
    write = summary.csv_out.csv_to

    def slowly(*given: Any) -> int:
        """While this one writes its file, another one does all of it."""
        monkeypatch.setattr(summary.csv_out, "csv_to", write)
        summary.tell_due()
        return write(*given)

    monkeypatch.setattr(summary.csv_out, "csv_to", slowly)
    summary.tell_due()
    assert len(mails()) == 1
    assert len(list((data_dir / "files").iterdir())) == 1


def test_who_dies_before_the_commit_loses_nothing(cast: Cast, data_dir, monkeypatch: pytest.MonkeyPatch) -> None:
    told_until(cast)
    with monkeypatch.context() as patch:
        patch.setattr(summary, "record", _dies)
        with pytest.raises(RuntimeError):
            summary.tell_due()
    assert mails() == []
    assert list((data_dir / "files").iterdir()) == []
    summary.tell_due()
    assert len(mails()) == 1


def _dies(*_given: object) -> None:
    raise RuntimeError


def test_a_partner_without_readers_costs_nothing(cast: Cast) -> None:
    db.write(settings, cast.partner_a, summarised_until=SIX - 9 * DAY)
    look()
    kept = db.read(lambda session: session.get_one(NotificationSettings, cast.partner_a.id))
    assert (mails(), kept.summarised_until) == ([], SIX - 9 * DAY)
