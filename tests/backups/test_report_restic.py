"""Real restic runs of a real folder into a real repository, reported to a real server."""

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.models import Account, BackupRun, BackupTask
from tests.backups.conftest import RESTIC_PASSWORD, Cast, needed
from tests.backups.portals import FakePortal, real_portal

NOBODY = 65534
Send = Callable[..., int]


@dataclass(frozen=True)
class Place:
    """A folder with three files and an empty repository, of a user for whom file modes count."""

    restic: str
    folder: Path
    repository: Path

    def command(self, *more: str, repository: Path | None = None) -> list[str]:
        # For root no file is unreadable: restic runs as nobody then.
        other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
        return [*other, self.restic, "--no-cache", "-r", str(repository or self.repository), *more]

    def backup(self, *more: str, **given: Any) -> list[str]:
        return self.command("backup", "--json", *(more or [str(self.folder)]), **given)


@pytest.fixture(scope="module")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: restic takes a second for the key."""
    made = tmp_path_factory.mktemp("restic") / "repository"
    environment = os.environ | {"RESTIC_PASSWORD": RESTIC_PASSWORD}
    command = [needed("restic"), "--no-cache", "-r", str(made), "init"]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return made


@pytest.fixture
def place(restic: str, empty_repository: Path) -> Iterator[Place]:
    # Not pytest's own folder: only its owner may enter that.
    root = Path(tempfile.mkdtemp(prefix="portal-restic-"))
    made = Place(restic, root / "folder", root / "repository")
    shutil.copytree(empty_repository, made.repository)
    (made.folder / "letters").mkdir(parents=True)
    files = (
        ("one.txt", b"one"),
        ("letters/two.txt", b"two two"),
        ("letters/big.bin", random.Random(5).randbytes(300_000)),
    )
    for name, content in files:
        (made.folder / name).write_bytes(content)
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    yield made
    shutil.rmtree(root)


@pytest.fixture
def portal(cast: Cast, tmp_path: Path) -> Iterator[str]:
    with real_portal(tmp_path / "server.log") as url:
        yield url


def rows(model: type) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model)).all()))


def account(cast: Cast) -> Account:
    return db.read(lambda session: session.get(Account, cast.account))


def test_a_good_run_is_on_the_account(place: Place, portal: str, cast: Cast, send: Send, spool: Path) -> None:
    assert send(portal, *place.backup(), account=cast.email) == 0
    (run,), (task,) = rows(BackupRun), rows(BackupTask)
    assert (run.outcome, run.entities, run.entities_failed, run.message) == ("successful", 3, 0, "")
    assert run.size_bytes == 300_010
    assert 300_000 < run.added_bytes < 400_000
    assert (task.key, task.size_bytes, account(cast).backup_status) == ("files", 300_010, "successful")
    assert run.run_key in _snapshots(place)
    assert list(spool.iterdir()) == []


def test_unreadable_files_make_it_partially_failed(place: Place, portal: str, cast: Cast, send: Send) -> None:
    (place.folder / "letters/two.txt").chmod(0)
    assert send(portal, *place.backup(), account=cast.email) == 3
    (run,) = rows(BackupRun)
    assert (run.outcome, run.message) == ("partial", "1 file could not be read.")
    assert (run.entities, run.entities_failed) == (2, 1)
    assert account(cast).backup_status == "partial"


def test_a_wrong_password_makes_it_failed(
    place: Place, portal: str, cast: Cast, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(portal, *place.backup(), account=cast.email)
    monkeypatch.setenv("RESTIC_PASSWORD", "not the password")
    assert send(portal, *place.backup(), account=cast.email) not in {0, 3}
    assert [run.outcome for run in rows(BackupRun)] == ["successful", "failed"]
    assert rows(BackupRun)[1].message == "Wrong password or no key found."
    # What had been stored is stored still.
    assert (account(cast).backup_status, account(cast).size_bytes) == ("failed", 300_010)


def test_runs_add_up_on_one_task(place: Place, portal: str, cast: Cast, send: Send) -> None:
    for number in range(3):
        (place.folder / "one.txt").write_text("x" * (number + 1))
        assert send(portal, *place.backup(), account=cast.email) == 0
    assert len(rows(BackupRun)) == 3
    assert [task.size_bytes for task in rows(BackupTask)] == [300_010]


def test_a_strangers_account_is_refused_and_the_backup_stays_good(
    place: Place, portal: str, cast: Cast, send: Send, capfd: pytest.CaptureFixture
) -> None:
    assert send(portal, *place.backup(), account=str(cast.charlies_account)) == 0
    assert "There is no such account." in capfd.readouterr().err
    assert rows(BackupRun) == []
    assert len(_snapshots(place)) == 1


# What restic itself says, without a server of its own for each.


def reported(send: Send, command: list[str]) -> dict[str, Any]:
    portal = FakePortal()
    with portal.serving() as url:
        send(url, *command)
    return portal.bodies[0]


def test_no_repository(place: Place, send: Send) -> None:
    told = reported(send, place.backup(repository=place.folder.with_name("none")))
    assert (told["outcome"], told["message"]) == ("failed", "Repository not found.")
    assert "size_bytes" not in told


def test_nothing_to_back_up(place: Place, send: Send) -> None:
    told = reported(send, place.backup(str(place.folder / "gone")))
    assert (told["outcome"], told["message"]) == ("failed", "What is to be backed up doesn't exist.")


def test_one_of_two_folders_is_gone(place: Place, send: Send) -> None:
    # restic 0.14 skips it and exits with 0; since 0.17 it exits with 3.
    told = reported(send, place.backup(str(place.folder), str(place.folder / "gone")))
    assert (told["outcome"], told["entities"], told["entities_failed"]) == ("partial", 3, 1)
    assert told["message"] == "Something that is to be backed up doesn't exist."


def test_without_json_the_outcome_is_still_right(place: Place, send: Send) -> None:
    command = [word for word in place.backup() if word != "--json"]
    told = reported(send, command)
    assert told["outcome"] == "successful"
    assert "size_bytes" not in told
    (place.folder / "one.txt").chmod(0)
    told = reported(send, command)
    assert (told["outcome"], told["message"]) == ("partial", "Some files could not be backed up.")


def test_the_message_names_no_file_and_no_place(place: Place, send: Send) -> None:
    (place.folder / "one.txt").chmod(0)
    for command in (place.backup(), place.backup(repository=place.folder.with_name("none"))):
        told = reported(send, command)
        assert "portal-restic" not in str(told)
        assert "one.txt" not in str(told)


def _snapshots(place: Place) -> list[str]:
    told = subprocess.run(place.command("snapshots", "--json"), check=True, capture_output=True, text=True).stdout
    return [part.split('"')[0] for part in told.split('"short_id":"')[1:]]
