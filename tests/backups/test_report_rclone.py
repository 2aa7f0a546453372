"""Real rclone runs, reported: what its JSON log comes to."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backups.conftest import needed
from tests.backups.portals import FakePortal

Send = Callable[..., int]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("RCLONE_CONFIG", "/dev/null")
    root = Path(tempfile.mkdtemp(prefix="portal-rclone-"))
    (root / "from/letters").mkdir(parents=True)
    for name, content in (("one.txt", b"one"), ("letters/two.txt", b"two two"), ("three.txt", b"3")):
        (root / "from" / name).write_bytes(content)
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, 65534, 65534)
    yield root
    shutil.rmtree(root)


def copy(place: Path, source: str = "from", target: str = "to", *more: str) -> list[str]:
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    where = target if ":" in target else str(place / target)
    return [
        *other,
        needed("rclone"),
        "copy",
        str(place / source),
        where,
        "--use-json-log",
        "-v",
        "--retries-sleep=0s",
        *more,
    ]


def reported(send: Send, command: list[str]) -> tuple[int, dict[str, Any]]:
    portal = FakePortal()
    with portal.serving() as url:
        code = send(url, *command)
    return code, portal.bodies[0]


def test_a_good_run(place: Path, send: Send) -> None:
    code, told = reported(send, copy(place))
    assert (code, told["outcome"], told["added_bytes"], told["entities"]) == (0, "successful", 11, 3)
    assert "size_bytes" not in told
    code, told = reported(send, copy(place))
    assert (code, told["outcome"], told["added_bytes"], told["entities"]) == (0, "successful", 0, 3)


def test_an_unreadable_file_makes_it_partially_failed(place: Path, send: Send) -> None:
    (place / "from/one.txt").chmod(0)
    code, told = reported(send, copy(place))
    assert code != 0
    assert (told["outcome"], told["message"]) == ("partial", "1 file could not be read.")
    # rclone tried three times; the file counts once, and so do the others.
    assert (told["entities"], told["entities_failed"], told["added_bytes"]) == (2, 1, 8)


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        ("none", "to", "What is to be backed up doesn't exist."),
        ("from", "nowhere:x", "The storage isn't set up under that name."),
        ("from", ":webdav,url='http://127.0.0.1:1/':x", "The storage can't be reached."),
    ],
)
def test_what_can_not_begin_failed(place: Path, send: Send, source: str, target: str, says: str) -> None:
    code, told = reported(send, copy(place, source, target, "--low-level-retries=1"))
    assert code != 0
    assert (told["outcome"], told["message"]) == ("failed", says)


def test_nothing_to_copy_is_no_fault(place: Path, send: Send) -> None:
    reported(send, copy(place))
    code, told = reported(send, copy(place, "from", "to", "--error-on-no-transfer"))
    assert (code, told["outcome"], told["message"]) == (9, "successful", "")
