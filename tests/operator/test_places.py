"""Storage locations: who may, what they do, and what they refuse."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.accounts import data_centers, storage_probe
from portal_app.accounts.storage_credentials import S3Compatible
from portal_app.auth.actor import Actor
from portal_app.backups.engine import storages
from portal_app.backups.engine.removal import FORGET
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.jobs import queue
from portal_app.models import AuditEvent, BackupTask, DataCenter, Partner
from portal_app.operator import places
from portal_app.operator.place_rows import PlaceRow, PlaceUse, StorageForm
from portal_app.settings import reset_settings
from tests.cast import Cast

SECRET = "never-to-be-seen-again"
BUCKET = {
    "endpoint_url": "https://storage.example",
    "bucket": "backups",
    "access_key_id": "key",
    "secret_access_key": SECRET,
}


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[S3Compatible]:
    """What was tried, without a network."""
    seen: list[S3Compatible] = []
    monkeypatch.setattr(storage_probe, "probe", lambda credentials, **_: seen.append(credentials))
    return seen


def look(code: str, actor: Actor) -> PlaceUse:
    return db.read(places.one, actor, code)


def names(actor: Actor) -> list[str]:
    return [row.name for row in db.read(places.listed, actor)]


def audit() -> list[str]:
    def told(session: Session) -> list[str]:
        wanted = select(AuditEvent.description).where(AuditEvent.partner_id.is_(None)).order_by(AuditEvent.id)
        return list(session.exec(wanted))

    return db.read(told)


def home(cast: Cast) -> str:
    """The code of the location in which all accounts of the cast are."""
    return db.read(lambda session: session.get_one(DataCenter, cast.accounts_a[0].data_center_id).code)


def keep_something(cast: Cast) -> None:
    def give(session: Session) -> None:
        task = session.exec(select(BackupTask).where(BackupTask.account_id == cast.accounts_a[0].id)).one()
        task.vault = "backups/00"
        session.add(task)

    db.write(give)


# --- access ---------------------------------------------------------------------------------------


def test_nobody_else_sees_or_changes_a_location(cast: Cast, stranger: Actor, tried: list) -> None:
    code, before = home(cast), db.read(places.listed, cast.actor("olga"))
    bucket = StorageForm("s3_compatible", fields=BUCKET)
    for act in (
        lambda: db.read(places.listed, stranger),
        lambda: db.read(places.one, stranger, code),
        lambda: places.add(stranger, "eu-new", "New", bucket),
        lambda: db.write(places.rename, stranger, code, before[0].mark, "Mine"),
        lambda: db.write(places.move, stranger, code, 1),
        lambda: db.write(places.retire, stranger, code, before[0].mark, partners=0),
        lambda: db.write(places.reopen, stranger, code, before[0].mark),
        lambda: places.set_storage(stranger, code, before[0].mark, bucket),
        lambda: places.check(stranger, code),
        lambda: db.read(places.default_of, stranger, cast.partner_a.code),
        lambda: db.write(places.set_default, stranger, cast.partner_a.code, code),
    ):
        with pytest.raises(Denied):
            act()
    assert not tried
    assert db.read(places.listed, cast.actor("olga")) == before


# --- behaviour ------------------------------------------------------------------------------------


def test_the_list_counts_accounts_and_bytes(cast: Cast, olga: Actor) -> None:
    accounts = [*cast.accounts_a, *cast.accounts_b]
    row = db.read(places.listed, olga)[0]
    assert (row.accounts, row.size_bytes) == (len(accounts), sum(one.size_bytes for one in accounts))
    assert (row.kind, row.place, row.active) == ("folder", row.code, True)


def test_a_folder_is_really_written_to(cast: Cast, olga: Actor) -> None:
    assert places.add(olga, " EU-New ", "New place", StorageForm(folder="disk-2/new")) == "eu-new"
    folder = storages.center_folder("disk-2/new")
    assert folder.is_dir()
    assert not list(folder.iterdir())
    assert names(olga)[-1] == "New place"
    assert look("eu-new", olga).checked_at is not None
    assert audit()[-1] == "Storage location eu-new added: New place, folder, disk-2/new"


@pytest.mark.parametrize("path", ["../out", "/etc", "a//b", ".hidden", "a/../b", "a/" * 9, "link"])
def test_a_folder_stays_below_the_vaults(cast: Cast, olga: Actor, path: str, tmp_path: Path) -> None:
    storages.vault_root().mkdir(parents=True)
    (storages.vault_root() / "link").symlink_to(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Invalid) as refusal:
        places.add(olga, "eu-new", "New", StorageForm(folder=path))
    assert list(refusal.value.fields) == ["folder"]
    assert sorted(tmp_path.iterdir()) == before
    assert "New" not in names(olga)


def test_credentials_are_tried_sealed_and_never_shown(cast: Cast, olga: Actor, tried: list[S3Compatible]) -> None:
    places.add(olga, "eu-new", "New", StorageForm("s3_compatible", fields=BUCKET))
    center = db.read(lambda session: session.exec(select(DataCenter).where(DataCenter.code == "eu-new")).one())
    assert [one.bucket for one in tried] == ["backups"]
    assert SECRET.encode() not in (center.sealed or b"")
    assert data_centers.credentials_of(center) == tried[0]
    row = look("eu-new", olga)
    assert row.place == "https://storage.example/backups"
    assert SECRET not in repr(row) + "".join(audit()) + repr(StorageForm("s3_compatible", fields=BUCKET))
    center.id = (center.id or 0) + 1
    with pytest.raises(data_centers.crypto.Unreadable):
        data_centers.credentials_of(center)


def test_what_is_typed_is_checked_before_anything_is_tried(cast: Cast, olga: Actor, tried: list) -> None:
    with pytest.raises(Invalid) as refusal:
        places.add(olga, "Ä", "", StorageForm("s3_compatible", fields=BUCKET | {"bucket": ""}))
    assert sorted(refusal.value.fields) == ["bucket", "code", "name"]
    with pytest.raises(Invalid) as refusal:
        places.add(olga, "eu-new", "New", StorageForm("tape"))
    assert list(refusal.value.fields) == ["storage"]
    assert not tried


def test_codes_and_names_are_taken_once(cast: Cast, olga: Actor) -> None:
    row = look(home(cast), olga)
    with pytest.raises(Invalid) as refusal:
        places.add(olga, row.code, "Other", StorageForm())
    assert list(refusal.value.fields) == ["code"]
    with pytest.raises(Invalid) as refusal:
        places.add(olga, "eu-new", row.name, StorageForm())
    assert list(refusal.value.fields) == ["name"]
    places.add(olga, "eu-new", "Other", StorageForm())
    with pytest.raises(Invalid):
        db.write(places.rename, olga, "eu-new", look("eu-new", olga).mark, row.name)


def test_it_is_renamed_and_moved(cast: Cast, olga: Actor) -> None:
    first = look(home(cast), olga)
    places.add(olga, "eu-new", "New", StorageForm())
    db.write(places.rename, olga, first.code, first.mark, " Home ")
    db.write(places.move, olga, "eu-new", -1)
    assert names(olga) == ["New", "Home"]
    db.write(places.move, olga, "eu-new", -1)
    db.write(places.move, olga, "eu-new", 1)
    assert names(olga) == ["Home", "New"]
    assert audit()[-3:] == [
        f"Storage location {first.code} renamed from {first.name} to Home",
        "Storage location eu-new moved to place 1 of the list",
        "Storage location eu-new moved to place 2 of the list",
    ]
    with pytest.raises(NotFound):
        db.write(places.move, olga, "nowhere", 1)


def test_a_retired_one_keeps_its_accounts(cast: Cast, olga: Actor) -> None:
    code = home(cast)
    with pytest.raises(Conflict, match="only open one"):
        db.write(places.retire, olga, code, look(code, olga).mark, partners=0)
    places.add(olga, "eu-new", "New", StorageForm())
    db.write(places.set_default, olga, cast.partner_a.code, code)
    assert look(code, olga).partners == 1
    with pytest.raises(Conflict, match="meanwhile"):
        db.write(places.retire, olga, code, look(code, olga).mark, partners=0)
    db.write(places.retire, olga, code, look(code, olga).mark, partners=1)
    row = look(code, olga)
    assert (row.active, row.accounts) == (False, 5)
    with pytest.raises(Invalid):
        db.write(places.set_default, olga, cast.partner_a.code, code)
    db.write(places.reopen, olga, code, row.mark)
    assert look(code, olga).active


def test_the_default_of_a_partner_is_audited_on_both_sides(cast: Cast, olga: Actor) -> None:
    places.add(olga, "eu-new", "New", StorageForm())
    db.write(places.set_default, olga, cast.partner_a.code, "eu-new")
    found = db.read(places.default_of, olga, cast.partner_a.code)
    assert (found.code, [choice.code for choice in found.choices]) == ("eu-new", [home(cast), "eu-new"])
    partner = db.read(lambda session: session.get_one(Partner, cast.partner_a.id))
    assert partner.default_data_center_id == look("eu-new", olga).id
    told = f"Default storage location of {partner.code}: New"
    sides = db.read(
        lambda session: session.exec(select(AuditEvent.partner_id).where(AuditEvent.description == told)).all()
    )
    assert sorted(sides, key=str) == [partner.id, None]
    with pytest.raises(NotFound):
        db.write(places.set_default, olga, "NOBODY01", "eu-new")


def test_an_empty_location_gets_another_storage(cast: Cast, olga: Actor, tried: list) -> None:
    code = home(cast)
    places.set_storage(olga, code, look(code, olga).mark, StorageForm("s3_compatible", fields=BUCKET))
    assert (look(code, olga).kind, look(code, olga).place) == ("s3_compatible", "https://storage.example/backups")
    places.set_storage(olga, code, look(code, olga).mark, StorageForm())
    assert look(code, olga).kind == "folder"
    assert db.read(lambda session: session.get_one(DataCenter, cast.accounts_a[0].data_center_id).sealed) is None


def test_one_that_holds_backups_keeps_its_storage_but_takes_other_keys(
    cast: Cast, olga: Actor, tried: list[S3Compatible]
) -> None:
    code = home(cast)
    places.set_storage(olga, code, look(code, olga).mark, StorageForm("s3_compatible", fields=BUCKET))
    keep_something(cast)
    before = look(code, olga)
    assert before.tasks == 1
    for other in (StorageForm(), StorageForm("s3_compatible", fields=BUCKET | {"bucket": "other"})):
        with pytest.raises(Conflict, match="holds the backups of 1 backup task"):
            places.set_storage(olga, code, before.mark, other)
    assert look(code, olga) == before
    places.set_storage(olga, code, before.mark, StorageForm("s3_compatible", fields=BUCKET | {"access_key_id": "new"}))
    center = db.read(lambda session: session.get_one(DataCenter, before.id))
    assert getattr(data_centers.credentials_of(center), "access_key_id", "") == "new"


@pytest.mark.parametrize("kind", ["folder", "s3_compatible"])
def test_a_deletion_that_is_not_done_holds_the_storage(cast: Cast, olga: Actor, tried: list, kind: str) -> None:
    code = home(cast)
    if kind != "folder":
        places.set_storage(olga, code, look(code, olga).mark, StorageForm(kind, fields=BUCKET))
    payload = {
        "storage": db.read(storages.packed, cast.accounts_a[0]),
        "vaults": ["backups/00"],
        "tasks": [],
    }
    db.write(queue.add, olga, FORGET, payload=payload)
    assert look(code, olga).tasks == 1
    with pytest.raises(Conflict):
        places.set_storage(olga, code, look(code, olga).mark, StorageForm("azure" if kind == "folder" else "folder"))


# --- faults ---------------------------------------------------------------------------------------


def test_a_storage_that_refuses_changes_nothing(cast: Cast, olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Invalid(secret_access_key="The secret doesn't belong to this access key ID.")

    monkeypatch.setattr(storage_probe, "probe", refuse)
    before = db.read(places.listed, olga)
    with pytest.raises(Invalid):
        places.add(olga, "eu-new", "New", StorageForm("s3_compatible", fields=BUCKET))
    with pytest.raises(Invalid):
        places.set_storage(olga, home(cast), before[0].mark, StorageForm("s3_compatible", fields=BUCKET))
    assert db.read(places.listed, olga) == before


def test_a_folder_that_is_gone_or_closed_is_told(cast: Cast, olga: Actor) -> None:
    storages.vault_root().mkdir(parents=True)
    storages.center_folder(home(cast)).write_text("a file in its way")
    with pytest.raises(Invalid) as refusal:
        places.check(olga, home(cast))
    assert list(refusal.value.fields) == ["folder"]
    assert look(home(cast), olga).checked_at is None


def test_private_hosts_are_reached_only_where_the_settings_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def ours(url: str) -> bool:
        fields = {**BUCKET, "endpoint_url": url}
        return data_centers.is_ours(places.storage_credentials.parse("s3_compatible", fields))

    assert not ours("http://minio.internal:9000")
    monkeypatch.setenv("PORTAL_STORAGE_HOSTS", "Minio.Internal, 10.0.0.7")
    reset_settings()
    assert ours("http://minio.internal:9000")
    assert ours("https://10.0.0.7")
    assert not ours("https://10.0.0.8")


def test_of_two_operators_at_once_the_second_is_told(office: Cast) -> None:
    olga, code = office.actor("olga"), home(office)
    mark, begin = look(code, olga).mark, threading.Barrier(2)

    def rename(name: str) -> str:
        begin.wait()
        try:
            db.write(places.rename, olga, code, mark, name)
        except Conflict as refusal:
            return refusal.sentence
        return name

    with ThreadPoolExecutor(2) as pool:
        said = set(pool.map(rename, ["One", "Two"]))
    assert places.CHANGED in said
    assert said - {places.CHANGED} == {look(code, olga).name}


def test_two_operators_never_retire_the_last_two(office: Cast) -> None:
    olga, begin = office.actor("olga"), threading.Barrier(2)
    places.add(olga, "eu-new", "New", StorageForm())
    marks = {code: look(code, olga).mark for code in (home(office), "eu-new")}

    def retire(code: str) -> None:
        begin.wait()
        try:
            db.write(places.retire, olga, code, marks[code], partners=0)
        except Conflict as refusal:
            assert refusal.sentence == places.LAST

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(retire, marks))
    rows: list[PlaceRow] = db.read(places.listed, olga)
    assert [row.active for row in rows].count(True) == 1
