"""Backup and restore: what goes in comes out, and nothing is lost by a wrong file or a wrong moment."""

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import select

from portal_app import archive, crypto, db, locks
from portal_app.errors import Conflict, Invalid
from portal_app.models import LoginSession, Partner
from portal_app.settings import reset_settings
from tests import factories
from tests.cli.conftest import Run

PLACE = crypto.binding(1, "custom_storage", 1, "sealed")


pytestmark = pytest.mark.sqlite(reason="about SQLite's file; test_archive_files.py has both")


@pytest.fixture
def portal(database: Path) -> Path:
    """A database with a partner and a signed-in user, and a key that sealed something."""
    with db.writing() as session:
        user = factories.user(session, factories.partner(session, code="ACME01"))
        now = user.created_at
        session.add(LoginSession(token_hash="h", user_id=user.id, created_at=now, used_at=now, ends_at=now))
    return database


def _codes() -> list[str]:
    with db.reading() as session:
        return list(session.exec(select(Partner.code).order_by(Partner.code)).all())


def _add_partner(code: str) -> None:
    with db.writing() as session:
        factories.partner(session, code=code)


def _move(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db.reset_engine()
    monkeypatch.setenv("PORTAL_DATA_DIR", str(folder))
    reset_settings()


@pytest.mark.usefixtures("portal")
def test_round_trip_into_an_empty_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = crypto.seal(b"secret", binding=PLACE)
    assert run("backup", tmp_path / "b.tar") == 0
    _add_partner("LATER01")
    _move(tmp_path / "other", monkeypatch)
    assert run("restore", tmp_path / "b.tar") == 0
    assert _codes() == ["ACME01"]
    assert crypto.unseal(sealed, binding=PLACE) == b"secret"
    with db.reading() as session:
        assert session.exec(select(LoginSession)).all() == []
    assert {path.name for path in (tmp_path / "other").iterdir()} >= {"portal.db", "encryption.key"}
    assert (tmp_path / "other" / "portal.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "other" / "encryption.key").stat().st_mode & 0o777 == 0o600


def test_the_file_is_private_and_whole_while_others_write(portal: Path, run: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(portal, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE partner SET name = 'half done'")
        assert run("backup", tmp_path / "b.tar") == 0
        writer.execute("ROLLBACK")
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "b.tar") as tar:
        assert sorted(tar.getnames()) == ["about.json", "encryption.key", "portal.db"]
        (tmp_path / "copy.db").write_bytes(tar.extractfile("portal.db").read())
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM partner WHERE name = 'half done'").fetchone() == (0,)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert [path.name for path in portal.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.usefixtures("portal")
def test_an_existing_file_is_never_overwritten(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "b.tar"
    target.write_text("mine")
    assert run("backup", target) == 1
    # Nor one that comes into being while the copy is made.
    monkeypatch.setattr(Path, "exists", lambda path: path.name == "portal.db")
    assert run("backup", target) == 1
    assert target.read_text() == "mine"
    assert capsys.readouterr().err.count("nothing was overwritten") == 2


def test_backup_refuses_what_it_can_not_do(
    run: Run, tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("backup", tmp_path / "b.tar") == 1
    (data_dir / "portal.db").write_bytes(b"this is no database, whatever it is named" * 100)
    assert run("backup", tmp_path / "b.tar") == 1
    assert run("backup", tmp_path / "none" / "b.tar") == 1
    lines = capsys.readouterr().err.splitlines()
    assert ["no database" in lines[0], "damaged" in lines[1], "no folder" in lines[2]] == [True] * 3
    assert len(lines) == 3
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.usefixtures("portal")
def test_present_data_stay_unless_told_and_are_kept_even_then(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("backup", tmp_path / "b.tar") == 0
    _add_partner("LATER01")
    db.reset_engine()
    assert run("restore", tmp_path / "b.tar") == 1
    assert "--replace" in capsys.readouterr().err
    assert _codes() == ["ACME01", "LATER01"]
    db.reset_engine()
    assert run("restore", tmp_path / "b.tar", "--replace") == 0
    assert _codes() == ["ACME01"]
    aside = Path(capsys.readouterr().out.splitlines()[1].removeprefix("What was there before is in ").rstrip("."))
    with closing(sqlite3.connect(aside / "portal.db")) as old:
        assert old.execute("SELECT count(*) FROM partner").fetchone() == (2,)
    assert (aside / "encryption.key").exists()


def _truncated(good: bytes) -> bytes:
    return good[: len(good) // 2]


def _flipped(good: bytes) -> bytes:
    """Every page of the database after its first is overwritten: the archive itself is whole."""
    middle = len(good) // 2
    return good[:middle] + bytes(255 - byte for byte in good[middle : middle + 40_000]) + good[middle + 40_000 :]


def _archive(**changed: bytes | None) -> Callable[[bytes], bytes]:
    """The same archive with other content of some members; None leaves one out."""

    def rewritten(good: bytes) -> bytes:
        made = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(good)) as old, tarfile.open(fileobj=made, mode="w") as new:
            for entry in old.getmembers():
                content = changed.get(entry.name.split(".")[0], old.extractfile(entry).read())
                if content is not None:
                    entry.size = len(content)
                    new.addfile(entry, io.BytesIO(content))
        return made.getvalue()

    return rewritten


def _no_file(kind: bytes) -> Callable[[bytes], bytes]:
    """The key is a link to a file of the machine, or a folder."""

    def rewritten(good: bytes) -> bytes:
        made = io.BytesIO(_archive(encryption=None)(good))
        with tarfile.open(fileobj=made, mode="a") as tar:
            entry = tarfile.TarInfo("encryption.key")
            entry.type, entry.linkname = kind, "/etc/hostname"
            tar.addfile(entry)
        return made.getvalue()

    return rewritten


@pytest.mark.parametrize(
    "spoil",
    [
        _truncated,
        _flipped,
        _no_file(tarfile.SYMTYPE),
        _no_file(tarfile.DIRTYPE),
        lambda _good: b"",
        lambda _good: b"not a tar at all" * 1000,
        _archive(portal=b""),
        _archive(portal=b"no database" * 1000),
        _archive(portal=None),
        _archive(encryption=b"c2hvcnQ="),
        _archive(about=b"{"),
        _archive(about=b"[]"),
        _archive(about=json.dumps({"format": 3}).encode()),
    ],
)
def test_a_damaged_file_changes_nothing(
    spoil: Callable[[bytes], bytes], portal: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("backup", tmp_path / "b.tar") == 0
    (tmp_path / "bad.tar").write_bytes(spoil((tmp_path / "b.tar").read_bytes()))
    db.reset_engine()
    key = (portal.parent / crypto.KEY_FILE).read_bytes()
    before = portal.read_bytes()
    assert run("restore", tmp_path / "bad.tar", "--replace") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert portal.read_bytes() == before
    assert (portal.parent / crypto.KEY_FILE).read_bytes() == key
    assert not list(portal.parent.glob("replaced-*"))
    assert not list(portal.parent.glob(".archive-*"))


def test_a_backup_of_a_newer_version_is_refused(portal: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(portal)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '29991231z'")
    archive.backup(tmp_path / "b.tar")
    db.reset_engine()
    with pytest.raises(Invalid, match="newer version"):
        archive.restore(tmp_path / "b.tar", replace=True)


def test_a_damaged_database_is_replaced(portal: Path, tmp_path: Path) -> None:
    archive.backup(tmp_path / "b.tar")
    db.reset_engine()
    portal.write_bytes(b"the disk has eaten this database" * 500)
    aside = archive.restore(tmp_path / "b.tar", replace=True)
    assert _codes() == ["ACME01"]
    assert (aside / "portal.db").read_bytes().startswith(b"the disk")


@pytest.mark.usefixtures("portal")
def test_no_restore_under_a_running_server(tmp_path: Path) -> None:
    archive.backup(tmp_path / "b.tar")
    with locks.serving(), locks.serving(), pytest.raises(Conflict, match="running"):
        archive.restore(tmp_path / "b.tar", replace=True)
    with locks.alone(), pytest.raises(Conflict, match="restore"), locks.serving():
        pass
    archive.restore(tmp_path / "b.tar", replace=True)


def test_no_restore_while_a_process_has_the_database_open(portal: Path, tmp_path: Path) -> None:
    archive.backup(tmp_path / "b.tar")
    with closing(sqlite3.connect(portal)) as other:
        other.execute("SELECT count(*) FROM partner").fetchall()
        with pytest.raises(Conflict, match="open"):
            archive.restore(tmp_path / "b.tar", replace=True)
    archive.restore(tmp_path / "b.tar", replace=True)
    assert _codes() == ["ACME01"]


@pytest.mark.usefixtures("portal")
def test_another_key_in_the_environment_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("backup", tmp_path / "b.tar") == 0
    _move(tmp_path / "other", monkeypatch)
    monkeypatch.setenv("PORTAL_ENCRYPTION_KEY", "A" * 43 + "=")
    reset_settings()
    assert run("restore", tmp_path / "b.tar") == 0
    assert "another key" in capsys.readouterr().out
