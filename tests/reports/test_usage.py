"""The usage report: who may ask for it, what is in it, how it comes, and what becomes of faults."""

import asyncio
import csv
import io
import zipfile
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlmodel import Session, col, func, select

from portal_app import clock, db
from portal_app.audit.tags import Activity
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, NotFound
from portal_app.files import service as files
from portal_app.jobs import cycle, loop, queue
from portal_app.jobs.worker import Work, Worker
from portal_app.mail import delivery
from portal_app.models import (
    Account,
    AuditEvent,
    BackupEntity,
    BackupTask,
    Job,
    JobState,
    OutboxMail,
    Role,
    StoredFile,
    User,
    UserState,
)
from portal_app.reports import usage
from tests import factories
from tests.cast import Cast
from tests.mail.servers import Mailbox
from tests.users.people import change

pytestmark = pytest.mark.usefixtures("database")


def ask(cast: Cast, name: str, *accounts: Account) -> int:
    return db.write(usage.ask, cast.actor(name), [account.id for account in accounts])


def work() -> int:
    return Worker({usage.KIND: usage.run}, 1).run_due()


def deliver() -> None:
    asyncio.run(delivery.deliver(loop.attach))


def rows_in(archive: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        (name,) = opened.namelist()
        content = opened.read(name)
    assert name == "usage-report.csv"
    assert content.count(b"\n") == content.count(b"\r\n")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def report_of(message: EmailMessage) -> list[list[str]]:
    (file,) = message.iter_attachments()
    assert (file.get_filename() or "").endswith(".zip")
    return rows_in(file.get_content())


def jobs() -> list[Job]:
    return db.read(lambda session: list(session.exec(select(Job).order_by(col(Job.id)))))


def entity(session: Session, task: BackupTask, name: str, **given: object) -> BackupEntity:
    values = {"account_id": task.account_id, "task_id": task.id, "key": name, "name": name, "name_key": name}
    return factories.save(session, BackupEntity(**values | {"found_at": clock.now()} | given))


def task_of(session: Session, account: Account) -> BackupTask:
    return session.exec(select(BackupTask).where(col(BackupTask.account_id) == account.id)).one()


# Access


def test_without_the_permission_nobody_asks_for_a_report(cast: Cast) -> None:
    for name in ("bob", "carol", "nina", "dave", "olga"):
        with pytest.raises(Denied):
            ask(cast, name, cast.bobs_account)
    assert jobs() == []


def test_a_strangers_account_is_as_unknown_as_one_that_never_was(cast: Cast) -> None:
    for accounts in (cast.accounts_b, (Account(id=987_654),)):
        with pytest.raises(Conflict, match="None of the accounts"):
            ask(cast, "alice", *accounts)
    assert ask(cast, "alice", cast.accounts_a[0], *cast.accounts_b) == 1


def test_only_what_the_user_may_see_when_it_is_made_is_in_it(cast: Cast, mailbox: Mailbox) -> None:
    ask(cast, "alice", *cast.accounts_a)

    def narrow(session: Session) -> None:
        factories.give_accounts(session, session.get_one(User, cast.alice.id), cast.accounts_a[1])

    db.write(narrow)
    assert work() == 1
    deliver()
    ((to, message),) = mailbox.taken
    assert to == cast.alice.email
    assert [row[0] for row in report_of(message)] == ["Account", "Alpha Birch"]


@pytest.mark.parametrize(
    "change",
    [{"role": Role.CUSTOM, "permissions": [str(Permission.DASHBOARD_VIEW)]}, {"state": UserState.DISABLED}],
    ids=["permission taken away", "disabled"],
)
def test_who_may_no_longer_ask_gets_nothing(cast: Cast, change: dict[str, object], data_dir) -> None:
    ask(cast, "alice", *cast.accounts_a)

    def apply(session: Session) -> None:
        user = session.get_one(User, cast.alice.id)
        for name, value in change.items():
            setattr(user, name, value)

    db.write(apply)
    work()
    (job,) = jobs()
    assert (job.state, job.fault) == (JobState.FAILED, Permission.USAGE_EXPORT.refusal)
    assert db.read(lambda session: session.scalar(select(func.count()).select_from(OutboxMail))) == 0
    assert list((data_dir / "files").iterdir()) == []


# What is in it


def test_every_kind_of_line(cast: Cast, mailbox: Mailbox) -> None:
    at = clock.now().replace(year=2026, month=3, day=1, hour=2, minute=3, second=4, microsecond=0)

    def fill(session: Session) -> None:
        ash, birch = (task_of(session, account) for account in cast.accounts_a[:2])
        ash.service = "exchange"
        entity(session, ash, "anna@x.example", kind="mailbox", licensed=True, size_bytes=5, last_backup_at=at)
        entity(session, ash, "=1+1", kind="mailbox", standing="archived", licensed=False)
        entity(session, ash, 'b"o\r\nb,', standing="inactive")
        entity(session, ash, "waits", standing="waiting")
        entity(session, ash, "ignored", standing="ignored")
        birch.active, birch.size_bytes, birch.last_finished_at = False, 77, at
        session.add_all((ash, birch))
        session.delete(task_of(session, cast.accounts_a[2]))

    db.write(fill)
    assert ask(cast, "alice", *cast.accounts_a) == 3
    work()
    deliver()
    ((_, message),) = mailbox.taken
    header, *rows = report_of(message)
    assert ",".join(header) == "Account,Email,Service,Entity,Type,State,Licensed,Size,Last Backup"
    ash, birch, elm = ((account.name, account.email) for account in cast.accounts_a)
    mail = "Microsoft 365 Exchange"
    assert rows == [
        [*ash, mail, "anna@x.example", "mailbox", "active", "licensed", "5", "2026-03-01T02:03:04Z"],
        [*ash, mail, "'=1+1", "mailbox", "archived", "unlicensed", "0", ""],
        [*ash, mail, 'b"o\r\nb,', "", "inactive", "", "0", ""],
        [*birch, "Generic", "Files of Alpha Birch", "", "inactive", "", "77", "2026-03-01T02:03:04Z"],
        [*elm, "", "", "", "", "", "0", ""],
    ]
    text = message.get_body(("plain",)).get_content()
    assert "Hello Alice," in text
    assert "5 lines" in text


def test_more_accounts_than_are_read_at_once(cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "ACCOUNTS_AT_ONCE", 2)
    ask(cast, "alice", *reversed(cast.accounts_a))
    work()
    deliver()
    assert [row[0] for row in report_of(mailbox.taken[0][1])[1:]] == [account.name for account in cast.accounts_a]


def test_what_is_too_large_for_a_mail_is_a_link_for_its_asker_alone(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ATTACHED_AT_MOST", 10)
    ask(cast, "alice", *cast.accounts_a)
    work()
    deliver()
    ((_, message),) = mailbox.taken
    (file,) = db.read(lambda session: list(session.exec(select(StoredFile))))
    assert list(message.iter_attachments()) == []
    assert f"/files/{file.id}" in message.get_body(("plain",)).get_content()
    kept = db.read(files.find, cast.actor("alice"), file.id)
    assert len(rows_in(files.path_of(kept).read_bytes())) == 4
    twin = db.write(lambda session: factories.user(session, cast.partner_a))
    for stranger in (factories.actor(twin), cast.actor("bob"), cast.actor("mallory"), cast.actor("olga")):
        with pytest.raises(NotFound):
            db.read(files.find, stranger, file.id)


def test_a_link_ends_when_its_asker_is_to_see_other_accounts(cast: Cast) -> None:
    twin = db.write(lambda session: factories.user(session, cast.partner_a))
    db.write(usage.ask, factories.actor(twin), [account.id for account in cast.accounts_a])
    work()
    (file,) = db.read(lambda session: list(session.exec(select(StoredFile))))
    granted = (str(Permission.DASHBOARD_VIEW), str(Permission.USAGE_EXPORT))
    change(cast.actor("alice"), twin, name="Another name")
    assert db.read(files.find, factories.actor(twin), file.id)
    change(cast.actor("alice"), twin, role=Role.CUSTOM, permissions=granted)
    with pytest.raises(NotFound):
        db.read(files.find, factories.actor(twin), file.id)


def test_what_has_ended_goes_from_the_disk_with_the_daily_work(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(cast, "alice", *cast.accounts_a)
    work()
    (file,) = db.read(lambda session: list(session.exec(select(StoredFile))))
    for days, is_there in ((6, True), (8, False)):
        then = file.made_at + timedelta(days=days)
        monkeypatch.setattr(clock, "now", lambda then=then: then)
        db.write(cycle.prune, then)
        assert files.path_of(file).exists() == is_there
    assert db.read(lambda session: list(session.exec(select(StoredFile)))) == []


def test_it_is_audited(cast: Cast) -> None:
    ask(cast, "alice", *cast.accounts_a)
    work()
    found = db.read(lambda s: [(e.activity, e.performed_by, e.description) for e in s.exec(select(AuditEvent))])
    alice = cast.alice.email
    assert found == [
        (Activity.DATA_EXPORT, alice, "Usage report of 3 accounts"),
        (Activity.NOTIFICATION, alice, f"Usage report mailed to {alice}"),
    ]


# Faults


def test_one_report_of_a_person_at_a_time(cast: Cast) -> None:
    ask(cast, "alice", *cast.accounts_a)
    with pytest.raises(Conflict, match="still being made"):
        ask(cast, "alice", *cast.accounts_a)
    ask(cast, "mallory", *cast.accounts_b)
    assert work() == 2
    ask(cast, "alice", *cast.accounts_a)


def test_a_worker_that_dies_after_the_mail_sends_no_second_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(cast, "alice", *cast.accounts_a)
    with monkeypatch.context() as patch:
        patch.setattr(Worker, "_finish", dies)
        work()
    assert jobs()[0].state == JobState.RUNNING
    later = clock.now() + queue.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert work() == 1
    assert jobs()[0].state == JobState.DONE
    assert db.read(lambda session: session.scalar(select(func.count()).select_from(OutboxMail))) == 1


def dies(*_given: object) -> None:
    raise RuntimeError


def test_what_was_begun_leaves_no_file_when_it_fails(cast: Cast, data_dir, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_given: object) -> object:
        raise OSError("disk full of secrets")

    monkeypatch.setattr(usage.csv_out, "zip_to", breaks)
    ask(cast, "alice", *cast.accounts_a)
    work()
    (job,) = jobs()
    assert job.state == JobState.FAILED
    assert "secrets" not in job.fault
    assert list((data_dir / "files").iterdir()) == []


def test_who_cancels_it_ends_it(cast: Cast, data_dir) -> None:
    ask(cast, "alice", *cast.accounts_a)

    def run(given: Work) -> dict[str, object]:
        given.is_canceled = True
        given.stop.set()
        return usage.run(given)

    assert Worker({usage.KIND: run}, 1).run_due() == 1
    assert jobs()[0].state == JobState.CANCELED
    assert list((data_dir / "files").iterdir()) == []
