"""A task's list of 10,000 entities among half a million against its own statements; and a listing of as many."""

import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.backups.entities import service
from portal_app.backups.entities.query import EntityQuery
from portal_app.backups.entities.rows import SeenEntity
from portal_app.models import BackupTask, Outcome
from tests.bench import data, raw

ACCOUNTS, EACH, MANY = 10_000, 52, 10_000
MAKE = f"""
from portal_app import migrations
from portal_app.demo.generator import generate
from portal_app.demo.service import ensure_demo
migrations.upgrade(); ensure_demo(); generate({ACCOUNTS}, runs=1, entities={EACH})
"""
QUESTIONS: dict[str, dict[str, Any]] = {
    "by name": {},
    "in the middle": {"page": 200},
    "part of a name": {"search": "0123"},
    "failed": {"state": "failed"},
    "inactive": {"standing": "inactive"},
    "by size": {"sort": "size", "descending": True},
    "by state": {"sort": "state"},
    "by last attempt": {"sort": "attempt", "descending": True},
}


def measure(number: int) -> tuple[dict[str, raw.Times], dict[str, float]]:
    """Each question so often, page and raw in turn; the listing of all, noted for the second time and later."""
    raw.use(_database())
    actor, task_id, account_id = raw.administrator(), *db.read(_task)
    noted = [raw.timed(db.write, _note, task_id) for _ in range(4)][1:]
    found = {}
    for name, asked in QUESTIONS.items():
        query = EntityQuery(account_id=account_id, task_id=task_id, **asked)
        found[name] = raw.compare(lambda query=query: db.read(service.page, actor, query), number)
    return found, {"noted, s": median(noted) / 1000}


def _task(session: Session) -> tuple[int, int]:
    first = select(BackupTask.id, BackupTask.account_id).where(BackupTask.name == "Server files")
    return session.exec(first.order_by(col(BackupTask.id))).first()


def _note(session: Session, task_id: int) -> None:
    seen = [
        SeenEntity(
            key=f"mailbox-{number:05}",
            name=f"Mailbox {number:05}",
            kind="mailbox",
            size_bytes=number * 1000,
            outcome=Outcome.SUCCESSFUL if number % 50 else Outcome.FAILED,
            error="" if number % 50 else "It did not answer in time.",
            licensed=bool(number % 12),
        )
        for number in range(MANY)
    ]
    service.note_seen(session, session.get_one(BackupTask, task_id), seen, clock.now())


def _database() -> Path:
    """A folder of a database with so many entities; made when missing or outdated."""
    folder = data.cache() / f"entities-{ACCOUNTS * EACH}-{data.made_of()}"
    if not (folder / "complete").exists():
        for old in data.cache().glob("entities-*"):
            shutil.rmtree(old)
        print(f"Making {ACCOUNTS * EACH:,} entities …", file=sys.stderr, flush=True)
        environment = data.environment(data_dir=folder, demo=1)
        subprocess.run([sys.executable, "-c", MAKE], cwd=data.ROOT, env=environment, check=True, timeout=900)
        (folder / "complete").touch()
    return folder
