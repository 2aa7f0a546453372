"""Backup Radar gets each result once, in the form that it reads."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.jobs import loop
from portal_app.mail import delivery
from portal_app.models import BackupRun, NotificationSettings
from portal_app.notifications import radar, service
from portal_app.notifications.rows import GeneralForm
from tests.cast import Cast
from tests.mail.servers import Mailbox
from tests.notifications import radar_reader
from tests.notifications.news import at, look, mails, run, settings, task_of

pytestmark = pytest.mark.usefixtures("database")
TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ADDRESS = "radar@readers.example"


@pytest.fixture(autouse=True)
def clock_at(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Ten past ten; the cast's own runs are long ago."""
    at(monkeypatch, TEN + 10 * MINUTE)

    def begin(session: Session) -> None:
        for one in session.exec(select(BackupRun)):
            one.finished_at = one.started_at = one.received_at = TEN - 60 * 24 * HOUR

    db.write(begin)
    return monkeypatch


def turned_on(cast: Cast, **given: Any) -> None:
    chosen = {"radar_enabled": True, "radar_address": ADDRESS, "radar_until": TEN - HOUR} | given
    db.write(settings, cast.partner_a, **chosen)


def fill(cast: Cast) -> None:
    def happen(session: Session) -> None:
        ash, birch, elm = cast.accounts_a
        task = task_of(session, birch)
        task.name = 'Files, "all"\r\nof it'
        session.add(task)
        run(session, ash, "successful", TEN - 30 * MINUTE, size_bytes=55_180_000)
        run(session, birch, "partial", TEN - 20 * MINUTE)
        run(session, elm, "failed", TEN - 10 * MINUTE)
        run(session, cast.accounts_b[0], "failed", TEN - 10 * MINUTE)

    db.write(happen)


def sent(mailbox: Mailbox) -> EmailMessage:
    look()
    asyncio.run(delivery.deliver(loop.attach))
    ((to, message),) = mailbox.taken
    assert to == ADDRESS
    return message


@pytest.mark.parametrize("form", ["csv", "zip"])
def test_what_it_reads_of_the_mail(cast: Cast, mailbox: Mailbox, form: str) -> None:
    turned_on(cast, radar_form=form)
    fill(cast)
    message = sent(mailbox)
    (file,) = message.iter_attachments()
    assert (file.get_filename() or "").endswith(f".{form}")
    ash, birch, elm = cast.accounts_a
    found = [tuple(row.values()) for row in radar_reader.read(message)]
    assert found == [
        (ash.email, "Success", "2026-11-25 09:30:00", "Files of Alpha Ash", "Alpha Ash", "55.18 MB"),
        (birch.email, "Warning", "2026-11-25 09:40:00", 'Files, "all"\r\nof it', "Alpha Birch", "0 Bytes"),
        (elm.email, "Failure", "2026-11-25 09:50:00", "Files of Alpha Elm", "Alpha Elm", "0 Bytes"),
    ]


@pytest.mark.parametrize(
    "given",
    [{"radar_enabled": False}, {"radar_address": ""}],
    ids=["an operator has not turned it on", "there is no address"],
)
def test_nothing_is_sent_while(cast: Cast, given: dict[str, Any]) -> None:
    turned_on(cast, **given)
    fill(cast)
    look()
    assert mails() == []


def test_each_result_once_in_the_mail_of_its_hour(cast: Cast, clock_at: pytest.MonkeyPatch) -> None:
    turned_on(cast)
    fill(cast)
    db.write(run, cast.accounts_a[0], "failed", TEN + 5 * MINUTE)
    look()
    look()
    assert len(mails(radar.KIND)) == 1
    # What is received up to eleven is sent once all of it must have been committed.
    at(clock_at, TEN + HOUR + 4 * MINUTE)
    look()
    assert len(mails(radar.KIND)) == 1
    at(clock_at, TEN + HOUR + 6 * MINUTE)
    look()
    assert len(mails(radar.KIND)) == 2
    at(clock_at, TEN + 2 * HOUR + 6 * MINUTE)
    look()
    assert len(mails(radar.KIND)) == 2


def test_hours_without_a_look_are_one_mail(cast: Cast, mailbox: Mailbox) -> None:
    turned_on(cast, radar_until=TEN - 9 * HOUR)
    db.write(run, cast.accounts_a[0], "failed", TEN - 8 * HOUR)
    db.write(run, cast.accounts_a[0], "successful", TEN - HOUR)
    assert [row["Status"] for row in radar_reader.read(sent(mailbox))] == ["Failure", "Success"]


def test_a_new_address_hears_of_what_comes_from_now_on(cast: Cast) -> None:
    db.write(service.turn_radar, cast.actor("olga"), cast.partner_a.code, True)
    fill(cast)
    db.write(service.save_general, cast.actor("alice"), GeneralForm(radar_address=ADDRESS))
    look()
    kept = db.read(lambda session: session.get_one(NotificationSettings, cast.partner_a.id))
    assert (mails(), kept.radar_until) == ([], TEN + 10 * MINUTE)


def test_of_two_that_are_at_it_at_once_one_sends(cast: Cast, data_dir, monkeypatch: pytest.MonkeyPatch) -> None:
    turned_on(cast)
    fill(cast)
    write = radar.csv_out.csv_to

    def slowly(*given: Any, **options: Any) -> int:
        """While this one writes its file, another one does all of it."""
        monkeypatch.setattr(radar.csv_out, "csv_to", write)
        radar.tell_due()
        return write(*given, **options)

    monkeypatch.setattr(radar.csv_out, "csv_to", slowly)
    radar.tell_due()
    assert len(mails()) == 1
    assert len(list((data_dir / "files").iterdir())) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Backup Report CSV", "backup report csv"),
        ("Device,Status", "device,Status"),
        ("Device,Status", "\ufeffDevice,Status"),
        (",Success,", ",Successful,"),
        ("\r\n", "\n"),
    ],
)
def test_the_reader_notices_what_is_wrong(old: str, new: str) -> None:
    text = f"{radar_reader.HEADER}\r\na,Success,2026-11-25 09:30:00,,,\r\n"
    message = EmailMessage()
    message["Subject"] = "Backup Report CSV of today".replace(old, new)
    message.set_content("The body is not read.")
    message.add_attachment(text.replace(old, new).encode(), maintype="text", subtype="csv", filename="x.csv")
    with pytest.raises(radar_reader.Unreadable):
        radar_reader.read(message)
