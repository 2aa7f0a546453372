"""What may be typed for a source, what is kept of it, and what it is never told to."""

import json
import os
from pathlib import Path

import pytest

from portal_app import db
from portal_app.backups.engine import folders, sources
from portal_app.backups.engine.sources import FIELDS, LABELS, parse
from portal_app.crypto import Unreadable
from portal_app.errors import Invalid
from portal_app.models import BackupTask, SourceKind
from portal_app.settings import reset_settings
from tests.backups.conftest import Cast
from tests.backups.engine.conftest import built_in

S3 = {"bucket": "files", "region": "eu-central-1", "access_key_id": "AKIA1", "secret_access_key": "very secret"[:4] * 4}
SFTP = {"host": "files.example", "user": "joe", "password": "p'w\"; $(x) %s"}


def faults(kind: str, **values: str) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        parse(kind, values)
    return refusal.value.fields


def test_each_kind_has_its_fields_and_a_name() -> None:
    assert set(FIELDS) == set(LABELS) == set(SourceKind)
    for fields in FIELDS.values():
        assert len({one.name for one in fields}) == len(fields)
        assert all(one.input != "text" for one in fields if one.secret)


@pytest.mark.parametrize("kind", list(SourceKind))
def test_an_empty_form_is_told_field_by_field(kind: SourceKind) -> None:
    needed = {one.name for one in FIELDS[kind] if not (one.optional or one.choices)}
    assert needed <= set(faults(kind)), kind


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        ("s3", S3 | {"endpoint": "http://user:pw@host"}, "endpoint"),
        ("s3", S3 | {"endpoint": "file:///etc"}, "endpoint"),
        ("s3", S3 | {"bucket": "../other"}, "bucket"),
        ("s3", S3 | {"folder": "a/../b"}, "folder"),
        ("s3", S3 | {"access_key_id": "AK\nIA"}, "access_key_id"),
        ("sftp", SFTP | {"host": "127.1"}, "host"),
        ("sftp", SFTP | {"host": "a b"}, "host"),
        ("sftp", SFTP | {"port": "70000"}, "port"),
        ("sftp", SFTP | {"host_key": "nonsense"}, "host_key"),
        ("sftp", {"host": "files.example", "user": "joe"}, "password"),
        ("sftp", SFTP | {"key": "-----BEGIN nonsense"}, "key"),
        ("webdav", {"url": "https://dav.example", "vendor": "mine"}, "vendor"),
        ("folder", {"path": "relative"}, "path"),
        ("folder", {"path": "/srv/../etc"}, "path"),
        ("google_drive", {"service_account_key": "{}"}, "service_account_key"),
        ("box", {"settings": "[1]"}, "settings"),
        ("dropbox", {"app_key": "a/b", "app_secret": "x", "refresh_token": "y"}, "app_key"),
        ("nothing", {}, "source_kind"),
    ],
)
def test_what_is_refused(kind: str, values: dict[str, str], field: str) -> None:
    assert field in faults(kind, **values)


def test_no_fault_repeats_what_was_typed() -> None:
    told = json.dumps(faults("sftp", **SFTP | {"host": "very strange!", "key": "SECRET-KEY", "password": "x" * 400}))
    assert "SECRET" not in told
    assert "strange" not in told


def test_an_empty_secret_is_that_of_before_only_at_the_same_place() -> None:
    before = parse("sftp", SFTP)
    same = parse("sftp", {**SFTP, "password": "", "user": "jim"}, before)
    assert same.values["password"] == SFTP["password"]
    for changed in ({"host": "evil.example"}, {"port": "2222"}):
        with pytest.raises(Invalid) as refusal:
            parse("sftp", {**SFTP, "password": "", **changed}, before)
        assert "password" in refusal.value.fields


def test_what_is_shown_holds_no_secret() -> None:
    source = parse("s3", S3)
    assert S3["secret_access_key"] not in json.dumps(source.shown) + source.place + repr(source)
    assert source.place == "files"
    assert parse("sftp", SFTP | {"folder": "a"}).place == "joe@files.example / a"


def test_a_sealed_source_opens_in_its_own_row_only(cast: Cast) -> None:
    def tasks(session) -> tuple[BackupTask, BackupTask]:
        own = built_in(session, cast.account, parse("sftp", SFTP))
        other = built_in(session, cast.account, parse("s3", S3), key="other")
        own.source_sealed, sealed = other.source_sealed, own.source_sealed
        session.flush()
        session.expunge_all()
        other.source_sealed = sealed
        return own, other

    own, _ = db.write(tasks)
    with pytest.raises(Unreadable):
        sources.unseal(own, cast.partner_id)


def test_a_folder_outside_of_those_allowed_is_refused(files: Path, owner: str, tmp_path: Path) -> None:
    sources.check(parse("folder", {"path": str(files)}, owner=owner))
    (tmp_path / "allowed-not").mkdir()
    for path in ("/etc", str(tmp_path), str(tmp_path / "allowed-not")):
        with pytest.raises(Invalid, match="correct") as refusal:
            sources.check(parse("folder", {"path": path}, owner=owner))
        assert refusal.value.fields == {"path": folders.NOT_ALLOWED}


@pytest.mark.parametrize("stranger", ["", "BETA0001"])
def test_a_folder_is_read_for_its_own_partner_only(files: Path, stranger: str) -> None:
    with pytest.raises(Invalid, match="correct") as refusal:
        sources.check(parse("folder", {"path": str(files)}, owner=stranger))
    assert refusal.value.fields == {"path": folders.NOT_ALLOWED}


def test_without_the_setting_no_folder_is_allowed(files: Path, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_BACKUP_FOLDERS")
    reset_settings()
    with pytest.raises(Invalid):
        sources.check(parse("folder", {"path": str(files)}, owner=owner))


@pytest.mark.parametrize("path", ["out", "out/shadow", "customer/out"])
def test_no_link_leads_out_of_a_folder(files: Path, owner: str, path: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret" / "shadow"
    secret.mkdir(parents=True)
    (files.parent / "out").symlink_to(secret.parent)
    (files / "out").symlink_to(secret.parent)
    with pytest.raises(Invalid):
        sources.check(parse("folder", {"path": str(files.parent / path)}, owner=owner))


def test_a_folder_exchanged_under_the_handle_changes_nothing(files: Path, owner: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with folders.opened(str(files), owner) as handle:
        files.rename(files.with_name("moved"))
        files.symlink_to(tmp_path / "elsewhere")
        with os.scandir(handle) as found:
            assert "readme.txt" in {one.name for one in found}


def test_a_private_address_is_refused_unless_allowed(database: Path) -> None:
    for kind, values, field in (
        ("webdav", {"url": "http://127.0.0.1:9", "user": "a", "password": "b"}, "url"),
        ("webdav", {"url": "http://localhost:9"}, "url"),
        ("s3", S3 | {"endpoint": "http://10.0.0.1"}, "endpoint"),
        ("s3", S3 | {"endpoint": "http://[::1]:9"}, "endpoint"),
        ("sftp", SFTP | {"host": "127.0.0.1", "port": "9"}, "host"),
        ("sftp", SFTP | {"host": "169.254.169.254"}, "host"),
    ):
        with pytest.raises(Invalid) as refusal:
            sources.check(parse(kind, values))
        assert "isn't public" in refusal.value.fields[field], (kind, values, refusal.value.fields)


def test_box_is_asked_for_a_token_first(database: Path) -> None:
    # Of an app that isn't there: Box refuses it, and without a way out nobody answers.
    auth = {"publicKeyID": "k", "privateKey": "-----BEGIN PRIVATE KEY-----", "passphrase": ""}
    app = {"clientID": "none", "clientSecret": "none", "appAuth": auth}
    told = json.dumps({"boxAppSettings": app, "enterpriseID": "1"})
    with pytest.raises(Invalid) as refusal:
        sources.check(parse("box", {"settings": told}))
    assert refusal.value.fields == {"settings": "Box refused the app, or can't be reached."}
