"""The command that is wrapped: it runs as if nothing were around it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal_app.backups.report import report
from tests.backups.portals import ROOT, FakePortal, wait_for

Send = Callable[..., int]
WRAPPER = "import sys; from portal_app.backups.report import report; sys.exit(report(sys.argv[1:], patience=0))"


def reported(send: Send, *command: str) -> tuple[int, dict[str, Any]]:
    portal = FakePortal()
    with portal.serving() as url:
        code = send(url, *command)
    return code, portal.bodies[0]


@pytest.mark.parametrize(
    ("command", "code", "outcome", "message"),
    [
        (["true"], 0, "successful", ""),
        (["sh", "-c", "exit 3"], 3, "failed", "The command ended with code 3."),
        (["sh", "-c", "kill -9 $$"], 137, "failed", "The command was stopped by SIGKILL."),
        (["/no/such/command"], 127, "failed", "The command was not found."),
        (["/etc/passwd"], 126, "failed", "The command can't be run."),
        (["a\x00b"], 126, "failed", "The command can't be run."),
    ],
)
def test_every_end_is_reported_and_the_exit_code_is_the_commands(
    send: Send, command: list[str], code: int, outcome: str, message: str
) -> None:
    got, told = reported(send, *command)
    assert (got, told["outcome"], told["message"]) == (code, outcome, message)


def test_output_passes_through_byte_by_byte(send: Send, capfdbinary: pytest.CaptureFixture) -> None:
    script = r"printf 'a\nb\377\000 no end'; printf 'to the other' >&2"
    reported(send, "sh", "-c", script)
    assert tuple(capfdbinary.readouterr()) == (b"a\nb\xff\x00 no end", b"to the other")


def test_no_shell_reads_the_command(send: Send, capfd: pytest.CaptureFixture) -> None:
    reported(send, "echo", "$(id)", "; false", "--", "--account")
    assert capfd.readouterr().out == "$(id) ; false -- --account\n"


def test_input_reaches_the_command(spool: Path) -> None:
    done = subprocess.run(_wrapper(spool, "cat"), check=False, input=b"typed", capture_output=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, b"typed")


def test_a_signal_goes_to_the_command_and_the_report_is_kept(spool: Path) -> None:
    script = 'trap "echo cleaned; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
    process = subprocess.Popen(_wrapper(spool, "sh", "-c", script), stdout=subprocess.PIPE, cwd=ROOT)
    # That this line is here while the command still runs shows that output passes live.
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert (process.stdout.read(), process.wait(timeout=20)) == (b"cleaned\n", 5)
    process.stdout.close()
    (kept,) = spool.glob("*.json")
    assert json.loads(kept.read_text())["report"]["outcome"] == "failed"


def test_a_child_that_stays_behind_does_not_hold_us_up(spool: Path, tmp_path: Path) -> None:
    script = f"sh -c 'echo $$ > {tmp_path}/pid; exec sleep 60' & exit 4"
    process = subprocess.Popen(_wrapper(spool, "sh", "-c", script), stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        assert process.wait(timeout=30) == 4
    finally:
        text = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
        os.kill(int(text), signal.SIGKILL)


def test_a_reader_that_goes_away_does_not_stop_the_command(spool: Path, tmp_path: Path) -> None:
    done = tmp_path / "done"
    script = f"i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; touch {done}"
    process = subprocess.Popen(_wrapper(spool, "sh", "-c", script), stdout=subprocess.PIPE, cwd=ROOT)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert done.exists()


def test_the_command_does_not_get_the_token(
    spool: Path, token: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("PORTAL_API_TOKEN", token)
    portal = FakePortal()
    with portal.serving() as url:
        where = ["--account", "a@example.com", "--task", "t", "--url", url, "--spool", str(spool)]
        assert report([*where, "--", "env"], patience=0) == 0
    assert portal.tokens == [f"Bearer {token}"]
    out = capfd.readouterr().out
    assert "PATH=" in out
    assert token not in out
    assert "PORTAL_API_TOKEN" not in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--task", "t", "--", "true"], "--account"),
        (["--account", "a", "--", "true"], "--task"),
        (["--account", "a", "--task", "t"], "after --"),
        (["--account", "a", "--task", "t", "--"], "after --"),
        (["--account", "a", "--task", "t", "--url", "ftp://x", "--", "true"], "--url"),
        (["--account", "a", "--task", "t", "--service", "pigeon", "--", "true"], "--service"),
        (["--account", "a", "--task", "t", "--token", "secret", "--", "true"], "unrecognized"),
    ],
)
def test_wrong_usage_runs_nothing(args: list[str], says: str, capfd: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as found:
        report(args)
    assert found.value.code == 2
    assert says in capfd.readouterr().err


def test_name_and_service_reach_the_portal(token_file: Path, spool: Path) -> None:
    portal = FakePortal()
    with portal.serving() as url:
        where = ["--url", url, "--token-file", str(token_file), "--spool", str(spool)]
        what = ["--account", "7", "--task", "mail", "--service", "imap", "--name", "Mail of the office"]
        report([*what, *where, "--", "true"], patience=0)
    told = portal.bodies[0]
    assert (told["account"], told["task"], told["service"], told["name"]) == ("7", "mail", "imap", "Mail of the office")


def _wrapper(spool: Path, *command: str) -> list[str]:
    where = ["--account", "a@example.com", "--task", "t", "--url", "http://127.0.0.1:9", "--spool", str(spool)]
    return [sys.executable, "-c", WRAPPER, *where, "--", *command]
