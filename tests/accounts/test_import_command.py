"""`python -m portal_app import-accounts`: the same check and the same save, from the command line."""

from pathlib import Path

import pytest

from portal_app.cli import main
from tests.accounts.import_files import audit, emails, sheet
from tests.cast import Cast

GOOD = sheet("Ann,ann@x.example,,", "Bob,bob@x.example,,")


@pytest.fixture
def file(cast: Cast, tmp_path: Path) -> Path:
    made = tmp_path / "list.csv"
    made.write_bytes(GOOD)
    return made


def run(file: Path, *more: str) -> int:
    return main(["import-accounts", str(file), "--partner", "alpha001", *more])


def test_it_imports_and_says_how_many(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file) == 0
    assert capsys.readouterr().out == "2 accounts imported.\n"
    assert {"ann@x.example", "bob@x.example"} <= set(emails())
    assert all(event.performed_by.startswith("Command line (") for event in audit())


def test_a_dry_run_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = emails()
    assert run(file, "--dry-run") == 0
    assert capsys.readouterr().out == "2 accounts could be imported. Nothing was changed.\n"
    assert (emails(), audit()) == (before, [])


def test_every_fault_is_a_line_and_nothing_is_imported(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(sheet("Ann,ann@x.example,,", ",bad,,", "\x1b[2Jx,c@x.example,,"))
    before = emails()
    assert run(file) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "Row 3, Account name: Enter a name.",
        "Row 3, Account email (bad): Enter an address such as name@company.com.",
        "Row 4, Account name (\\x1b[2Jx): Remove the invisible control characters.",
        "3 faults. Nothing was imported.",
    ]
    assert emails() == before


def test_a_guessed_encoding_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(sheet("Müller,ann@x.example,,").decode().encode("cp1252"))
    assert run(file, "--dry-run") == 0
    assert "Windows-1252" in capsys.readouterr().err


def test_a_partner_or_a_file_that_is_not_there_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-accounts", str(file), "--partner", "nobody"]) == 1
    assert run(file.with_name("other.csv")) == 1
    told = capsys.readouterr().err
    assert "There is no partner NOBODY." in told
    assert "other.csv: No such file or directory." in told
