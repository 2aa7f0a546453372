"""What a backup holds is whole: the files that the database tells of, also while both are being written to."""

import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, select

from portal_app import archive, db, migrations, pg_tools
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid
from portal_app.files import service as files
from portal_app.models import LoginSession, Partner, StoredFile
from portal_app.settings import reset_settings
from tests import factories
from tests.cli.conftest import Run
from tests.stores import BOTH, WIDE

AT_LEAST = 20


def _move(folder: Path, monkeypatch: pytest.MonkeyPatch, url: str = "") -> None:
    db.reset_engine()
    monkeypatch.setenv("PORTAL_DATA_DIR", str(folder))
    monkeypatch.setenv("PORTAL_DATABASE_URL", url)
    reset_settings()


def _keep(number: int) -> None:
    """A partner and a file, both of this number, in one transaction."""
    with files.new_file() as place:
        place.write_bytes(f"content {number}".encode() * 500)
        with db.writing() as session:
            partner = factories.partner(session, code=f"NUM{number:05}")
            given = {"kind": "report", "partner_id": partner.id or 0, "permission": Permission.USAGE_EXPORT}
            files.keep(session, place, name=f"{number}.csv", **given)


def _numbers(session: Session) -> tuple[list[str], list[StoredFile]]:
    partners = session.exec(select(Partner.code).where(Partner.code.startswith("NUM")))
    return sorted(partners), list(session.exec(select(StoredFile)))


class Writer(threading.Thread):
    """Writes until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.ends, self.written, self.some = threading.Event(), 0, threading.Event()

    def run(self) -> None:
        while not self.ends.is_set():
            _keep(self.written)
            self.written += 1
            if self.written >= AT_LEAST:
                self.some.set()


@pytest.fixture(autouse=True)
def tools_in_the_wide_run(request: pytest.FixtureRequest) -> None:
    if WIDE:
        request.getfixturevalue("postgres_tools")


@pytest.fixture(params=BOTH)
def stores(
    request: pytest.FixtureRequest, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """The addresses of a migrated database and of an empty one."""
    if request.param == "sqlite":
        yield "", ""
        return
    here, there = request.getfixturevalue("postgres_urls")
    _move(tmp_path / "data", monkeypatch, here)
    migrations.upgrade()
    yield here, there
    db.reset_engine()


def test_a_backup_of_a_portal_at_work_is_whole_elsewhere(
    stores: tuple[str, str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer()
    writer.start()
    try:
        assert writer.some.wait(60)
        before = writer.written
        assert run("backup", tmp_path / "b.tar") == 0
    finally:
        writer.ends.set()
        writer.join()
    _move(tmp_path / "other", monkeypatch, stores[1])
    assert run("restore", tmp_path / "b.tar") == 0
    codes, kept = db.read(_numbers)
    # All that was there before, nothing half, and each row with its file.
    assert before <= len(codes) == len(kept) <= writer.written
    assert codes == [f"NUM{number:05}" for number in range(len(codes))]
    for file in kept:
        assert files.path_of(file).read_bytes() == f"content {file.name.removesuffix('.csv')}".encode() * 500
    with db.reading() as session:
        assert session.exec(select(LoginSession)).all() == []


@pytest.mark.usefixtures("database")
def test_a_file_that_has_ended_may_be_missing(run: Run, tmp_path: Path) -> None:
    _keep(1)
    _keep(2)
    gone = db.read(_numbers)[1][0]
    files.path_of(gone).unlink()
    assert run("backup", tmp_path / "b.tar") == 0
    with tarfile.open(tmp_path / "b.tar") as tar:
        names = tar.getnames()
    assert f"files/{gone.path}" not in names
    assert len([name for name in names if name.startswith("files/")]) == 1


@pytest.mark.usefixtures("database")
def test_present_files_are_set_aside_too(run: Run, tmp_path: Path, data_dir: Path) -> None:
    _keep(1)
    assert run("backup", tmp_path / "b.tar") == 0
    _keep(2)
    db.reset_engine()
    assert run("restore", tmp_path / "b.tar", "--replace") == 0
    (aside,) = data_dir.glob("replaced-*")
    assert len(list((aside / "files").iterdir())) == 2
    assert len(list(files.folder().iterdir())) == 1


@pytest.mark.usefixtures("database")
def test_no_path_leads_out_of_the_folder_of_files(run: Run, tmp_path: Path, data_dir: Path) -> None:
    assert run("backup", tmp_path / "b.tar") == 0
    with tarfile.open(tmp_path / "b.tar", "a") as tar:
        for name in ("files/../../evil", "/etc/evil", "files/x/y", f"files/{'a' * 31}", "other"):
            tar.addfile(tarfile.TarInfo(name))
    db.reset_engine()
    assert run("restore", tmp_path / "b.tar", "--replace") == 0
    assert not list(tmp_path.rglob("evil"))
    assert list(files.folder().iterdir()) == []


@pytest.mark.postgres
def test_a_present_postgresql_database_is_kept_and_replaced(
    postgres_urls: tuple[str, str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _move(tmp_path / "data", monkeypatch, postgres_urls[0])
    migrations.upgrade()
    _keep(1)
    assert run("backup", tmp_path / "b.tar") == 0
    _keep(2)
    assert run("restore", tmp_path / "b.tar") == 1
    assert run("restore", tmp_path / "b.tar", "--replace") == 0
    assert db.read(_numbers)[0] == ["NUM00001"]
    (aside,) = (tmp_path / "data").glob("replaced-*")
    pg_tools.check(aside / archive.DUMP)
    _move(tmp_path / "sqlite", monkeypatch)
    with pytest.raises(Invalid, match="The backup is of PostgreSQL"):
        archive.restore(tmp_path / "b.tar")


def test_without_its_tools_postgresql_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTAL_DATABASE_URL", "postgresql://portal:hidden-word@127.0.0.1:1/none")
    monkeypatch.setenv("PATH", "")
    reset_settings()
    assert pg_tools.missing() == ["pg_dump", "pg_restore"]
    assert run("backup", tmp_path / "b.tar") == 1
    assert "pg_dump is not installed. Install" in capsys.readouterr().err


def test_a_server_that_is_away_is_told_without_its_password(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTAL_DATABASE_URL", "postgresql://portal:hidden-word@127.0.0.1:1/none?connect_timeout=3")
    reset_settings()
    assert run("backup", tmp_path / "b.tar") == 1
    told = capsys.readouterr().err
    assert told.startswith(("pg_dump failed: ", "pg_dump is not installed"))
    assert "hidden-word" not in told
    assert not (tmp_path / "b.tar").exists()
