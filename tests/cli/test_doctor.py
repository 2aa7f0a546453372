"""doctor: one line for each thing, a failure when something is wrong, and nothing changed by looking."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

from portal_app import build, clock, crypto, db, doctor
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.backups.engine import tools
from portal_app.demo.service import ensure_demo
from portal_app.doctor import Level
from portal_app.jobs import queue
from portal_app.models import CustomStorage, CycleRun
from portal_app.settings import reset_settings
from tests import factories
from tests.cli.conftest import Run
from tests.mail.servers import HOST, SECRET, USER, Mailbox, check, free_port, serving
from tests.stores import WIDE

OF_THE_FILE = pytest.mark.sqlite(reason="about SQLite's file")


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Pages that are built and up to date, without building any."""
    stamp = tmp_path / "made-of"
    stamp.write_text("sources")
    monkeypatch.setattr(build, "STAMP", stamp)
    monkeypatch.setattr(build, "fingerprint", lambda: "sources")
    yield stamp
    db.reset_engine()


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that the settings name, and that takes the portal's password."""
    box = Mailbox()
    with serving(box, authenticator=check, auth_require_tls=False) as port:
        for name, value in {"HOST": HOST, "PORT": str(port), "SECURITY": "none"}.items():
            monkeypatch.setenv(f"PORTAL_SMTP_{name}", value)
        monkeypatch.setenv("PORTAL_PUBLIC_URL", "https://portal.acme.example")
        monkeypatch.setenv("PORTAL_TRUSTED_PROXIES", "10.0.0.5")
        monkeypatch.setenv("PORTAL_SUPPORT_EMAIL", "help@acme.example")
        reset_settings()
        yield box


@pytest.fixture
def healthy(database: Path, data_dir: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment without a fault."""
    for name, value in {"SECRET_KEY": "sk_test_1", "WEBHOOK_SECRET": "whsec_1"}.items():
        monkeypatch.setenv(f"PORTAL_STRIPE_{name}", value)
    _set(monkeypatch, "PORTAL_PAYMENT_GATEWAY", "stripe")
    data_dir.chmod(0o700)
    crypto.current_key()
    with db.writing() as session:
        factories.partner(session)
    db.reset_engine()
    return data_dir


def _levels() -> dict[str, Level]:
    return {finding.what.split(":")[0]: finding.level for finding in doctor.examine()}


def _set(patch: pytest.MonkeyPatch, name: str, value: str) -> None:
    patch.setenv(name, value)
    reset_settings()


@pytest.mark.usefixtures("healthy")
def test_a_healthy_deployment(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    # Redis and PostgreSQL's search have a line each; the server of the tests may be one without pg_trgm.
    assert len(lines) == (19 if WIDE else 17)
    assert [line for line in lines if not line.startswith("OK    ") and "pg_trgm" not in line] == []


def test_looking_sends_nothing(healthy: Path, mailbox: Mailbox) -> None:
    assert _levels()["Mail"] == Level.OK
    assert (mailbox.connections, mailbox.taken) == (1, [])
    assert healthy.exists()


def test_looking_changes_nothing(run: Run, data_dir: Path) -> None:
    shutil.rmtree(data_dir)
    assert run("doctor") == 0
    assert not data_dir.exists()


def test_a_new_folder_has_only_warnings(data_dir: Path) -> None:
    data_dir.chmod(0o700)
    found = _levels()
    assert found["Database"] == found["Encryption key"] == Level.WARN
    assert Level.FAIL not in found.values()


def _misspelt(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_DATABSE_URL", "postgresql://x")


def _open_folder(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    folder.chmod(0o755)


def _file_for_folder(patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "file").write_text("")
    _set(patch, "PORTAL_DATA_DIR", str(folder / "file"))
    _set(patch, "PORTAL_DATABASE_URL", f"sqlite:///{folder / 'portal.db'}")


def _moved_clock(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_CLOCK_OFFSET_DAYS", "3")


def _unreachable(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")


def _no_database(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "portal.db").write_bytes(b"not a database at all" * 500)


def _damaged(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    whole = (folder / "portal.db").read_bytes()
    with closing(sqlite3.connect(folder / "portal.db")) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'partner'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    start = (page - 1) * size
    (folder / "portal.db").write_bytes(whole[:start] + b"\xff" * size + whole[start + size :])


def _revision(version: str) -> Callable[[pytest.MonkeyPatch, Path], None]:
    def change(_patch: pytest.MonkeyPatch, _folder: Path) -> None:
        statement = text("UPDATE alembic_version SET version_num = :version")
        db.write(lambda session: session.execute(statement, {"version": version}))

    return change


def _broken_key(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / crypto.KEY_FILE).write_text("short")
    crypto._file_key.cache_clear()


def _readable_key(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / crypto.KEY_FILE).chmod(0o644)


def _other_key(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_ENCRYPTION_KEY", "A" * 43 + "=")


def _lost_key(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    with db.writing() as session:
        account = factories.account(session, factories.partner(session), storage_kind="aws_s3")
        about = {"kind": "aws_s3", "place": "bucket", "sealed": b"x", "checked_at": clock.now()}
        session.add(CustomStorage(account_id=account.id, **about))
    (folder / crypto.KEY_FILE).unlink()


def _future(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    later = clock.now() + timedelta(days=2)
    with patch.context() as inner, db.writing() as session:
        inner.setattr(clock, "now", lambda: later)
        record(session, system(), Activity.SIGN_IN)


def _demo_beside_a_partner(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_DEMO", "1")
    ensure_demo()


def _no_pages(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder.parent / "made-of").unlink()


def _old_pages(_patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder.parent / "made-of").write_text("older")


def _no_mail_server(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_SMTP_HOST", "")


def _dead_mail_server(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_SMTP_PORT", str(free_port()))


def _wrong_mail_password(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_SMTP_USERNAME", USER)
    _set(patch, "PORTAL_SMTP_PASSWORD", "wrong")


def _readable_mail_password(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_SMTP_USERNAME", USER)
    _set(patch, "PORTAL_SMTP_PASSWORD", SECRET)


def _links_to_nowhere(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_PUBLIC_URL", "")


def _no_tls(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_PUBLIC_URL", "http://portal.acme.example")


def _no_proxy(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_TRUSTED_PROXIES", "")


def _no_redis(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_REDIS_URL", f"redis://:hidden@127.0.0.1:{free_port()}/0")


def _open_redis(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    patch.setattr(redis.Redis, "ping", lambda _client: True)
    _set(patch, "PORTAL_REDIS_URL", "redis://10.0.0.5:6379/0")


def _middling_accent(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_BRAND_ACCENT", "#e67e22")


def _nobodys_address(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_SUPPORT_EMAIL", "support@portal.example")


def _letters_in_the_logo(patch: pytest.MonkeyPatch, folder: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>Acme</text></svg>'
    (folder / "logo.svg").write_text(svg)
    _set(patch, "PORTAL_BRAND_LOGO", str(folder / "logo.svg"))


def _no_worker(_patch: pytest.MonkeyPatch, _folder: Path) -> None:
    db.write(queue.add, system(), "forget")


def _no_cycle(_patch: pytest.MonkeyPatch, _folder: Path) -> None:
    then = clock.now() - timedelta(days=3)
    run = CycleRun(day=then.date(), holder="x", held_until=then, started_at=then, finished_at=then)
    db.write(lambda session: session.add(run))


def _play_money(patch: pytest.MonkeyPatch, _folder: Path) -> None:
    _set(patch, "PORTAL_PAYMENT_GATEWAY", "sandbox")


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(
    ("spoil", "what", "level"),
    [
        (_misspelt, "Settings", Level.FAIL),
        (_open_folder, "Data folder", Level.WARN),
        (_file_for_folder, "Data folder", Level.FAIL),
        (_moved_clock, "Clock", Level.WARN),
        (_unreachable, "Database", Level.FAIL),
        pytest.param(_no_database, "Database", Level.FAIL, marks=OF_THE_FILE),
        (_revision("20261123a"), "Database", Level.WARN),
        (_revision("29991231z"), "Database", Level.FAIL),
        pytest.param(_damaged, "Soundness", Level.FAIL, marks=OF_THE_FILE),
        (_broken_key, "Encryption key", Level.FAIL),
        (_readable_key, "Encryption key", Level.FAIL),
        (_other_key, "Encryption key", Level.WARN),
        (_lost_key, "Encryption key", Level.FAIL),
        (_future, "Time", Level.FAIL),
        (_demo_beside_a_partner, "Demo", Level.FAIL),
        (_no_pages, "Pages", Level.WARN),
        (_no_tls, "Address", Level.WARN),
        (_no_proxy, "Address", Level.WARN),
        (_no_redis, "Redis", Level.FAIL),
        (_open_redis, "Redis", Level.WARN),
        (_middling_accent, "Brand", Level.WARN),
        (_nobodys_address, "Brand", Level.WARN),
        (_letters_in_the_logo, "Brand", Level.WARN),
        (_no_worker, "Work", Level.WARN),
        (_no_cycle, "Work", Level.WARN),
        (_old_pages, "Pages", Level.WARN),
        (_no_mail_server, "Mail", Level.WARN),
        (_dead_mail_server, "Mail", Level.FAIL),
        (_wrong_mail_password, "Mail", Level.FAIL),
        (_readable_mail_password, "Mail", Level.WARN),
        (_links_to_nowhere, "Mail", Level.WARN),
        (_play_money, "Payments", Level.WARN),
    ],
)
def test_each_fault_is_found(
    spoil: Callable, what: str, level: Level, *, data_dir: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, data_dir)
    db.reset_engine()
    (finding,) = [one for one in doctor.examine() if one.what.startswith(what + ":")]
    assert finding.level == level, finding
    assert finding.advice
    assert run("doctor") == int(level == Level.FAIL)


def test_settings_that_can_not_be_used(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _set(monkeypatch, "PORTAL_PORT", "a lot")
    assert run("doctor") == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("FAIL  ")
    assert "PORTAL_PORT" in line


@pytest.mark.usefixtures("database")
def test_a_demo_alone_is_a_warning() -> None:
    assert ensure_demo()
    assert _levels()["Demo"] == Level.WARN


def test_little_room_on_the_disk(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 1 << 62)
    assert _levels()["Disk"] == Level.WARN
    assert healthy.exists()


@pytest.mark.parametrize("tool", ["restic", "rclone"])
def test_a_missing_tool_of_the_engine(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def path_of(name: str) -> str:
        if name == tool:
            raise tools.Missing("not here")
        return "/usr/bin/true"

    monkeypatch.setattr(tools, "path_of", path_of)
    finding = next(one for one in doctor.examine() if one.what.startswith("Backups:"))
    assert finding.level == doctor.Level.WARN
    assert finding.what == f"Backups: {tool} is missing, built-in backups fail."
    assert "nstall" in finding.advice
