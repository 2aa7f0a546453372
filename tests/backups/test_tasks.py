"""Backup tasks: who may do what with them, what is taken of a form, and what each act leaves behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import tasks
from portal_app.backups.engine import sources
from portal_app.backups.service import record_run
from portal_app.backups.task_forms import WantedTask
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import Account, AuditEvent, BackupRun, BackupStatus, BackupTask, PartnerChange
from tests.backups.conftest import Cast, report, without

S3 = {
    "endpoint": "https://s3.example.com",
    "region": "",
    "bucket": "files",
    "folder": "",
    "access_key_id": "AKIA1",
    "secret_access_key": "very-secret",
}
FILES = WantedTask(name="Files", service="s3", source_kind="s3", source=S3)
REPORTED = WantedTask(name="Mail", service="exchange", engine="reported")


def add(cast: Cast, wanted: WantedTask = FILES, actor: Actor | None = None) -> int:
    return db.write(tasks.add, actor or cast.alice, cast.account, wanted)


def row(task_id: int) -> BackupTask:
    found = db.read(lambda session: session.get(BackupTask, task_id))
    assert found
    return found


def audited() -> list[str]:
    wanted = select(AuditEvent.description).where(col(AuditEvent.activity) == Activity.BACKUP_TASKS)
    return list(db.read(lambda session: session.exec(wanted.order_by(col(AuditEvent.id))).all()))


def faults(cast: Cast, **given: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        add(cast, replace(FILES, **given))
    assert db.read(lambda session: session.exec(select(BackupTask)).all()) == []
    return refusal.value.fields


ACTS = {
    "add": (Permission.TASKS_MANAGE, lambda cast, who, task: db.write(tasks.add, who, cast.account, FILES)),
    "change": (Permission.TASKS_MANAGE, lambda cast, who, task: db.write(tasks.change, who, cast.account, task, FILES)),
    "pause": (
        Permission.TASKS_MANAGE,
        lambda cast, who, task: db.write(tasks.set_active, who, cast.account, [task], active=False),
    ),
    "delete": (
        Permission.TASKS_DELETE,
        lambda cast, who, task: db.write(tasks.delete, who, cast.account, task, "Files"),
    ),
    "look": (Permission.TASKS_MANAGE, lambda cast, who, task: db.read(tasks.source_of, who, cast.account, task)),
    "parse": (
        Permission.TASKS_MANAGE,
        lambda cast, who, task: db.read(tasks.parse_source, who, cast.account, task, FILES),
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_nobody_without_the_permission_and_no_stranger(cast: Cast, act: str) -> None:
    task = add(cast)
    permission, do = ACTS[act]
    with pytest.raises(Denied, match=permission.refusal):
        do(cast, without(cast.alice, permission), task)
    with pytest.raises(Denied):
        do(cast, cast.customer, task)
    with pytest.raises(NotFound):
        do(cast, cast.charlie, task)
    assert (row(task).active, row(task).name) == (True, "Files")
    assert audited() == ["Added the backup task Files."]


@pytest.mark.parametrize("act", ["change", "pause", "delete", "look", "parse"])
def test_a_task_of_another_account_is_none_of_this_one(cast: Cast, act: str) -> None:
    other = db.write(tasks.add, cast.alice, cast.other_account, FILES)
    with pytest.raises(NotFound):
        ACTS[act][1](cast, cast.alice, other)


def test_a_customers_user_with_the_permission_manages_their_own_account_only(cast: Cast) -> None:
    dave = replace(cast.customer, permissions=cast.customer.permissions | {Permission.TASKS_MANAGE})
    assert row(add(cast, actor=dave)).name == "Files"
    with pytest.raises(NotFound):
        db.write(tasks.add, dave, cast.other_account, FILES)


def test_a_new_task_is_planned_sealed_and_told_of(cast: Cast) -> None:
    seen = db.read(lambda session: session.get(PartnerChange, cast.partner_id)).number
    task = row(add(cast, replace(FILES, name="  Files  ", hour="5", keep="90", every="weekly", discovery="ask")))
    assert (task.name, task.service, task.engine, task.active) == ("Files", "s3", "built_in", True)
    assert (task.every, task.hour, task.keep_days, task.discovery) == ("weekly", 5, 90, "ask")
    assert task.next_run_at and task.next_run_at > clock.now() and task.next_run_at.hour == 5
    assert (task.source_kind, task.source_place) == ("s3", "https://s3.example.com / files")
    assert task.source_sealed and b"very-secret" not in task.source_sealed
    assert sources.unseal(task, cast.partner_id).values["secret_access_key"] == "very-secret"
    assert db.read(lambda session: session.get(PartnerChange, cast.partner_id)).number > seen
    assert audited() == ["Added the backup task Files."]


def test_for_ever_is_kept_as_no_number_of_days(cast: Cast) -> None:
    assert row(add(cast, replace(FILES, keep="0"))).keep_days is None


def test_a_reported_task_has_no_plan_and_takes_the_runs_of_its_key(cast: Cast) -> None:
    task = row(add(cast, REPORTED))
    assert (task.engine, task.key, task.next_run_at, task.source_sealed) == ("reported", "Mail", None, None)
    db.write(record_run, cast.engine, report(cast, task="Mail"))
    assert row(task.id or 0).last_outcome == "successful"


def test_each_faulty_field_gets_its_sentence(cast: Cast) -> None:
    told = faults(cast, name=" ", service="x", every="x", hour="24", keep="31", discovery="x", source={})
    assert set(told) == {
        "name", "service", "every", "hour", "keep", "discovery",
        "source-bucket", "source-access_key_id", "source-secret_access_key",
    }  # fmt: skip
    assert all(sentence.endswith(".") for sentence in told.values())
    assert set(faults(cast, source_kind="floppy")) == {"source_kind"}
    assert set(faults(cast, engine="x")) == {"engine"}
    assert "120" in faults(cast, name="x" * 121)["name"]
    assert "invisible" in faults(cast, name="a\tb")["name"]


def test_a_name_is_given_once_in_an_account(cast: Cast) -> None:
    first = add(cast)
    with pytest.raises(Invalid) as refusal:
        add(cast, replace(FILES, name="FILES"))
    assert "name" in refusal.value.fields
    second = add(cast, replace(FILES, name="Other"))
    with pytest.raises(Invalid):
        db.write(tasks.change, cast.alice, cast.account, second, FILES)
    db.write(tasks.change, cast.alice, cast.account, first, FILES)
    assert db.write(tasks.add, cast.alice, cast.other_account, FILES)
    # The key of a reported task is taken even where its name is another by now.
    db.write(record_run, cast.engine, report(cast, task="mail-key", name="Mailboxes"))
    with pytest.raises(Invalid):
        add(cast, replace(REPORTED, name="mail-key"))


def test_a_change_keeps_the_secret_unless_it_would_go_elsewhere(cast: Cast) -> None:
    task = add(cast)
    kept = replace(FILES, name="Archive", source=S3 | {"secret_access_key": "", "bucket": "other"})
    db.write(tasks.change, cast.alice, cast.account, task, kept)
    assert row(task).name == "Archive"
    assert sources.unseal(row(task), cast.partner_id).values["secret_access_key"] == "very-secret"
    moved = replace(kept, source={**kept.source, "endpoint": "https://evil.example.com"})
    with pytest.raises(Invalid) as refusal:
        db.write(tasks.change, cast.alice, cast.account, task, moved)
    assert set(refusal.value.fields) == {"source-secret_access_key"}
    assert audited()[1:] == ["Changed the backup task Archive: name, source."]


def test_a_change_of_the_hour_is_planned_anew_and_one_of_nothing_is_not_told(cast: Cast) -> None:
    task = add(cast)
    db.write(tasks.change, cast.alice, cast.account, task, replace(FILES, hour="9"))
    planned = row(task).next_run_at
    assert planned and planned.hour == 9
    db.write(tasks.change, cast.alice, cast.account, task, replace(FILES, hour="9"))
    assert audited()[1:] == ["Changed the backup task Files: schedule."]


def test_who_makes_the_backups_stays(cast: Cast) -> None:
    task = add(cast)
    with pytest.raises(Invalid) as refusal:
        db.write(tasks.change, cast.alice, cast.account, task, replace(REPORTED, name="Files"))
    assert "engine" in refusal.value.fields


def test_pause_and_activate_say_how_many_changed(cast: Cast) -> None:
    first, second = add(cast), add(cast, REPORTED)
    assert db.write(tasks.set_active, cast.alice, cast.account, [first, second, first], active=False) == 2
    assert [(row(one).active, row(one).next_run_at) for one in (first, second)] == [(False, None)] * 2
    assert db.write(tasks.set_active, cast.alice, cast.account, [first, second], active=False) == 0
    assert db.write(tasks.set_active, cast.alice, cast.account, [first], active=True) == 1
    assert row(first).next_run_at
    assert audited()[2:] == [
        "Paused the backup task Files.",
        "Paused the backup task Mail.",
        "Activated the backup task Files.",
    ]


def test_a_strange_task_among_the_ticked_changes_nothing(cast: Cast) -> None:
    mine = add(cast)
    with pytest.raises(NotFound):
        db.write(tasks.set_active, cast.alice, cast.account, [mine, 987_654], active=False)
    assert row(mine).active


def test_delete_wants_the_name_and_takes_runs_and_figures_along(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    task = add(cast, REPORTED)
    db.write(record_run, cast.engine, report(cast, task="Mail", outcome="failed"))
    db.write(record_run, cast.engine, report(cast, task="other", size_bytes=50))
    with pytest.raises(Conflict):
        db.write(tasks.delete, cast.alice, cast.account, task, "mail")
    told: list[tuple[str, bool]] = []

    def forget(session: Session, _actor: Actor, gone: BackupTask) -> None:
        told.append((gone.name, session.get(BackupTask, gone.id) is not None))

    monkeypatch.setattr(tasks.removal, "forget_task", forget)
    assert db.write(tasks.delete, cast.alice, cast.account, task, " Mail ") == "Mail"
    # While its rows are still there, the engine hears what data has to go.
    assert told == [("Mail", True)]
    account = db.read(lambda session: session.get(Account, cast.account))
    assert (account.backup_status, account.size_bytes) == (BackupStatus.SUCCESSFUL, 50)
    assert len(db.read(lambda session: session.exec(select(BackupRun)).all())) == 1
    assert audited()[-1] == "Deleted the backup task Mail and its data."
    with pytest.raises(NotFound):
        db.write(tasks.delete, cast.alice, cast.account, task, "Mail")


def test_the_plan_follows_the_clock(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: noon)
    assert row(add(cast)).next_run_at == noon.replace(hour=2) + timedelta(days=1)
