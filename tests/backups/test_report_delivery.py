"""Reports reach the portal in the end, once, whatever it answers meanwhile; and the token stays with us."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backups.portals import FakePortal, free_port

Send = Callable[..., int]
NOWHERE = "http://127.0.0.1:9"


def waiting(spool: Path) -> list[Path]:
    return sorted(spool.glob("*.json"))


def test_a_portal_that_is_down_costs_nothing_and_loses_nothing(
    send: Send, spool: Path, capfd: pytest.CaptureFixture
) -> None:
    assert send(f"http://127.0.0.1:{free_port()}", "true") == 0
    (kept,) = waiting(spool)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700
    told = capfd.readouterr().err
    assert "can't be reached" in told
    assert "kept for next time" in told


def test_what_was_kept_goes_with_the_next_report(send: Send, spool: Path) -> None:
    portal = FakePortal(503)
    with portal.serving() as url:
        send(url, "true")
        send(url, "false")
        assert len(waiting(spool)) == 2
        portal.statuses = [201]
        portal.bodies.clear()
        send(url, "true")
    assert [body["outcome"] for body in portal.bodies] == ["successful", "successful", "failed"]
    assert len({body["run"] for body in portal.bodies}) == 3
    assert list(spool.iterdir()) == []


def test_the_same_run_is_sent_again_under_the_same_id(send: Send, spool: Path) -> None:
    portal = FakePortal(500, 429, 201)
    with portal.serving() as url:
        send(url, "true", patience=20)
    assert len(portal.bodies) == 3
    assert portal.bodies[0] == portal.bodies[1] == portal.bodies[2]
    assert list(spool.iterdir()) == []


def test_patience_ends(send: Send, spool: Path) -> None:
    portal = FakePortal(500)
    with portal.serving() as url:
        assert send(url, "true", patience=1) == 0
    assert len(portal.bodies) == 2
    assert len(waiting(spool)) == 1


@pytest.mark.parametrize(("status", "says"), [(401, "refused the token"), (403, "may not report")])
def test_a_refused_token_is_told_in_one_line(
    send: Send, spool: Path, capfd: pytest.CaptureFixture, status: int, says: str
) -> None:
    portal = FakePortal(status)
    with portal.serving() as url:
        assert send(url, "true", patience=20) == 0
    assert len(portal.bodies) == 1
    told = capfd.readouterr().err
    assert says in told
    assert told.count("\n") == 1
    assert len(waiting(spool)) == 1


def test_a_refused_report_is_told_and_not_sent_again(send: Send, spool: Path, capfd: pytest.CaptureFixture) -> None:
    portal = FakePortal(422, 201)
    with portal.serving() as url:
        assert send(url, "true") == 0
        assert "Told so. finished: Late." in capfd.readouterr().err
        assert [file.suffix for file in spool.iterdir()] == [".refused"]
        send(url, "true")
    assert len(portal.bodies) == 2


def test_an_address_that_is_no_portal_keeps_the_report(send: Send, spool: Path, capfd: pytest.CaptureFixture) -> None:
    portal = FakePortal(404)
    portal.problem = None
    with portal.serving() as url:
        send(url, "true")
    assert "is --url right" in capfd.readouterr().err
    assert len(waiting(spool)) == 1


def test_a_report_for_another_portal_is_not_sent_to_this_one(send: Send, spool: Path) -> None:
    send(NOWHERE, "true")
    portal = FakePortal()
    with portal.serving() as url:
        send(url, "true")
    assert len(portal.bodies) == 1
    assert len(waiting(spool)) == 1


def test_a_damaged_file_holds_nothing_up(send: Send, spool: Path) -> None:
    spool.mkdir(mode=0o700)
    for name, content in (("1.json", "{"), ("2.json", "[]"), ("3.json", '{"url": 1}')):
        (spool / name).write_text(content)
    portal = FakePortal()
    with portal.serving() as url:
        assert send(url, "true") == 0
        kept = {"url": url, "report": {"run": "kept"}}
        (spool / "4.json").write_text(json.dumps(kept))
        send(url, "true")
    assert {"run": "kept"} in portal.bodies
    assert waiting(spool) == []


def test_a_spool_that_can_not_be_written_only_loses_the_net(
    send: Send, spool: Path, capfd: pytest.CaptureFixture
) -> None:
    spool.write_text("a file where the folder should be")
    portal = FakePortal()
    with portal.serving() as url:
        assert send(url, "true") == 0
    assert len(portal.bodies) == 1
    assert "can't be kept" in capfd.readouterr().err


def test_the_token_goes_to_the_portal_and_nowhere_else(
    send: Send, spool: Path, token: str, capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    portal = FakePortal(500)
    with portal.serving() as url:
        send(url, "env")
        send(NOWHERE, "env")
    assert portal.tokens == [f"Bearer {token}"]
    kept = "".join(file.read_text() for file in waiting(spool))
    assert token not in "".join(capfd.readouterr()) + caplog.text + kept


@pytest.mark.parametrize("content", ["", "two words", "ppt_x\r\nX-Evil: 1", "ppt_é", "\x00"])
def test_a_token_that_is_none_is_never_sent_or_shown(
    send: Send, token_file: Path, spool: Path, capfd: pytest.CaptureFixture, content: str
) -> None:
    token_file.write_text(content)
    portal = FakePortal()
    with portal.serving() as url:
        assert send(url, "true") == 0
    assert portal.bodies == []
    told = capfd.readouterr().err
    assert "no token" in told
    assert not content.strip() or content.strip() not in told
    assert len(waiting(spool)) == 1


def test_a_token_file_that_is_missing_does_not_stop_the_backup(
    send: Send, token_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    token_file.unlink()
    assert send(NOWHERE, "touch", str(tmp_path / "ran")) == 0
    assert (tmp_path / "ran").exists()
    assert "token file can't be read" in capfd.readouterr().err


def test_our_own_files_are_ours_alone_whatever_the_umask(send: Send, spool: Path) -> None:
    before = os.umask(0)
    try:
        send(NOWHERE, "true")
    finally:
        os.umask(before)
    assert stat.S_IMODE(waiting(spool)[0].stat().st_mode) == 0o600
