"""`import-portal` on the terminal."""

from typing import Any

import pytest

from portal_app.cli import main
from portal_app.models import Account, AuditEvent
from portal_app.portal_import.command import SECRETS as VARIABLES
from tests.cast import Cast
from tests.portal_import.conftest import account, rows
from tests.portal_import.portals import SECRETS, Portal

Run = Any


@pytest.fixture
def run(cast: Cast, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, SECRETS[name])
    return lambda *words: main(
        ["import-portal", "--partner", "alpha001", "--url", portal.url, "--version", "2", *words]
    )


def imported() -> list[Account]:
    return [one for one in rows(Account) if one.email.endswith("@there.example")]


def test_a_dry_run_tells_and_changes_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    told = capsys.readouterr().out
    assert "Firm 1 <firm1@there.example>: Added: begins Monthly in Germany (Frankfurt)." in told
    assert "1 account: 1 added, 0 changed, 0 left as they are, 0 left out." in told
    assert "Names that end in digits: 1. They keep them (--without-digits)." in told
    assert imported() == []


def test_applied_it_imports_once(run: Run, cast: Cast, portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    portal.lists["accounts"].append(account(2, region="MOON", status="ASLEEP"))
    words = ("--apply", "--region", "moon=fr-paris", "--status", "ASLEEP=trial", "--without-digits")
    assert run(*words) == 0
    assert [(one.name, one.partner_id, one.status) for one in imported()] == [
        ("Firm", cast.partner_a.id, "monthly"),
        ("Firm", cast.partner_a.id, "trial_started"),
    ]
    assert run(*words) == 0
    assert "2 accounts: 0 added, 0 changed, 2 left as they are, 0 left out." in capsys.readouterr().out
    assert len(imported()) == 2
    assert all(event.performed_by.startswith("Command line") for event in rows(AuditEvent))


@pytest.mark.parametrize("words", [("--region", "MOON"), ("--status", "ACTIVE=free"), ("--region", "EU_FRANKFURT=x")])
def test_wrong_words_are_refused(run: Run, words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--apply", *words) == 1
    assert capsys.readouterr().err
    assert imported() == []


def test_missing_secrets_are_told_and_none_is_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLES["password"])
    assert run() == 1
    told = capsys.readouterr().err
    assert "Enter the password." in told
    assert not any(secret in told for secret in SECRETS.values())


def test_an_unknown_partner_is_told(run: Run, portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-portal", "--partner", "NOBODY", "--url", portal.url, "--version", "1"]) == 1
    assert "There is no partner NOBODY." in capsys.readouterr().err
    assert portal.seen == []
