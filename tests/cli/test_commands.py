"""The command line as a whole: help, exit codes, one-line errors, and what it must not load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import func, select

from portal_app import cli, db, migrations, serve
from portal_app.models import Account, CycleRun
from portal_app.settings import reset_settings
from tests.cli.conftest import PASSWORD, Run

COMMANDS = (
    "serve",
    "create-operator",
    "create-partner",
    "create-api-token",
    "import-accounts",
    "demo",
    "report",
    "cycle",
    "backup",
    "restore",
    "doctor",
)


def _process(*words: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=migrations.ROOT,
        env=os.environ | environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n    {name} " not in shown and f"\n    {name}\n" not in shown] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) >= 3


@pytest.mark.parametrize("words", [[], ["no-such"], ["create-operator"], ["cycle", "--on", "yesterday"]])
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_process_of_its_own(data_dir: Path) -> None:
    words = ("-m", "portal_app", "create-operator", "--email", "ann@provider.test", "--name", "Ann", "--password-stdin")
    made = _process(*words, typed=PASSWORD + "\n")
    assert (made.returncode, made.stderr) == (0, "")
    assert (data_dir / "portal.db").stat().st_mode & 0o777 == 0o600
    again = _process(*words, typed=PASSWORD + "\n")
    assert again.returncode == 1
    assert again.stderr == "A user with the email ann@provider.test exists already.\n"
    assert again.stdout == ""


def test_a_wrong_setting_is_one_line() -> None:
    ended = _process("-m", "portal_app", "cycle", PORTAL_PORT="none")
    assert ended.returncode == 1
    assert "PORTAL_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_starts_without_the_pages() -> None:
    """Reflex takes a second to load, and no command but the server's own process needs it."""
    ended = _process("-c", "import sys, portal_app.cli; print('reflex' in sys.modules)")
    assert (ended.stdout, ended.stderr) == ("False\n", "")


def test_a_report_leaves_the_mask_and_the_exit_code_alone(tmp_path: Path, no_umask: list[int]) -> None:
    spool = ("--url", "http://127.0.0.1:1", "--spool", str(tmp_path / "spool"))
    command = (sys.executable, "-c", "raise SystemExit(7)")
    assert cli.main(["report", "--account", "1", "--task", "t", *spool, "--", *command]) == 7
    assert no_umask == []


def test_a_new_file_is_for_the_portals_user_only(run: Run, no_umask: list[int]) -> None:
    run("cycle")
    assert no_umask == [0o077]


def test_serve_serves(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    served: list[str] = []
    monkeypatch.setattr(serve, "main", lambda: served.append("served"))
    assert run("serve") == 0
    assert served == ["served"]


def test_the_days_work_is_done_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("cycle") == 0
    assert run("cycle") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "is done: nothing was due" in first
    assert "done already" in second
    with db.reading() as session:
        assert session.exec(select(func.count()).select_from(CycleRun)).one() == 1


def test_demo_with_accounts(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo", "--accounts", 25) == 0
    assert run("demo", "--accounts", 30, "--runs", 2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Partner BENCH001: 25 accounts added, 25 in all."
    assert lines[2:] == ["The demo data was there already.", "Partner BENCH001: 5 accounts added, 30 in all."]
    with db.reading() as session:
        assert session.exec(select(func.count()).select_from(Account)).one() == 60 + 12 + 30


def test_no_demo_where_none_belongs(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTAL_DEMO", "0")
    reset_settings()
    assert run("demo", "--accounts", 5) == 1
    assert "PORTAL_DEMO=1" in capsys.readouterr().err


def test_a_database_out_of_reach_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTAL_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    reset_settings()
    db.reset_engine()
    assert run("cycle") == 1
    shown = capsys.readouterr().err
    assert len(shown.splitlines()) == 1
    assert "secret" not in shown


def test_a_folder_that_can_not_be_made_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path / "file" / "data"))
    reset_settings()
    db.reset_engine()
    assert run("cycle") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_defect_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise IntegrityError("INSERT", {}, ValueError("a defect of the program"))

    monkeypatch.setattr(migrations, "upgrade", broken)
    with pytest.raises(IntegrityError):
        run("cycle")


def test_ctrl_c_ends_quietly(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(migrations, "upgrade", interrupted)
    assert run("cycle") == 1
    assert capsys.readouterr().err == "Interrupted.\n"
