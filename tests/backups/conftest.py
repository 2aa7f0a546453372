"""The cast of these tests: a partner's account, people who see all or some of it, and a stranger."""

import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth import tokens
from portal_app.auth.actor import Actor, ActorKind, system
from portal_app.auth.permissions import Permission
from portal_app.backups.intake import RunReport
from portal_app.backups.report import report as report_command
from tests import factories
from tests.stores import Environment

RESTIC_PASSWORD = "a password for this test"


@dataclass(frozen=True)
class Cast:
    """Alice's engine reports for her partner; Bob sees only the first account; Charlie is with another partner."""

    partner_id: int
    account: int
    other_account: int
    email: str
    engine: Actor
    alice: Actor
    bob: Actor
    customer: Actor
    charlie: Actor
    charlies_account: int


def make_cast(session: Session) -> Cast:
    ours, theirs = factories.partner(session), factories.partner(session)
    first, second = factories.account(session, ours), factories.account(session, ours)
    stranger = factories.account(session, theirs)
    bob = factories.user(session, ours)
    factories.give_accounts(session, bob, first)
    customer = factories.user(session, kind="customer", account_id=first.id)
    return Cast(
        partner_id=ours.id,
        account=first.id,
        other_account=second.id,
        email=first.email,
        engine=engine_of(ours.id),
        alice=factories.actor(factories.user(session, ours)),
        bob=factories.actor(bob),
        customer=factories.actor(customer),
        charlie=factories.actor(factories.user(session, theirs)),
        charlies_account=stranger.id,
    )


def engine_of(partner_id: int) -> Actor:
    """A program with a token of the partner."""
    permissions = frozenset({Permission.BACKUPS_RUN})
    return Actor(ActorKind.TOKEN, partner_id=partner_id, name="Engine", permissions=permissions, all_accounts=True)


def report(of: Cast, **given: Any) -> RunReport:
    """A successful run that ended now, unless told otherwise; `minutes` moves its end."""
    finished: datetime = given.pop("finished", clock.now() + timedelta(minutes=given.pop("minutes", 0)))
    values = {
        "account": of.account,
        "task": "files",
        "run": "run-1",
        "started": finished - timedelta(minutes=1),
        "finished": finished,
        "outcome": "successful",
        "added_bytes": 10,
        "size_bytes": 1000,
        "entities": 7,
    }
    return RunReport.read(values | given)


def without(actor: Actor, permission: Permission) -> Actor:
    return replace(actor, permissions=actor.permissions - {permission})


@pytest.fixture
def cast(database: Path) -> Cast:
    return db.write(make_cast)


@pytest.fixture
def cast_anywhere(store: Environment) -> Cast:
    return db.write(make_cast)


def at_once(do: Callable[[int], Any], times: int) -> list[Any]:
    """`do(0)`, `do(1)`, … in as many threads that start at the same moment. Raises what they raise."""
    barrier = threading.Barrier(times)

    def one(number: int) -> Any:
        barrier.wait(timeout=20)
        return do(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


@pytest.fixture
def token(cast: Cast) -> str:
    """A token of Alice's partner that may report backups."""
    return db.write(tokens.create_token, system(), cast.partner_id, "Engine", [Permission.BACKUPS_RUN])


@pytest.fixture
def token_file(token: str, tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(token + "\n")
    return file


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def send(token_file: Path, spool: Path) -> Callable[..., int]:
    """The report command: `send(url, *command)`. It doesn't wait long for a portal that is away."""

    def run(url: str, *command: str, account: str = "customer@example.com", patience: float = 0.0) -> int:
        where = ["--url", url, "--token-file", str(token_file), "--spool", str(spool)]
        return report_command(["--account", account, "--task", "files", *where, "--", *command], patience=patience)

    return run


@pytest.fixture
def restic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The real restic, with a password and nothing of the developer's."""
    monkeypatch.setenv("RESTIC_PASSWORD", RESTIC_PASSWORD)
    monkeypatch.setenv("RESTIC_CACHE_DIR", str(tmp_path / "cache"))
    return needed("restic")


def needed(tool: str) -> str:
    """The path of a tool without which the tests prove nothing: its lack fails them."""
    beside_python = Path(sys.executable).with_name(tool)
    found = str(beside_python) if beside_python.exists() else shutil.which(tool)
    if not found:
        pytest.fail(f"{tool} is missing: `make test` installs it (apt-get install {tool}, or tests/requirements.txt).")
    return found
