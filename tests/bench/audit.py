"""The audit page at a million rows of one partner against its own statements sent raw; the file, and the check."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal_app import db
from portal_app.audit import reading, verify
from portal_app.audit.query import AuditQuery
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from tests.bench import data, raw

ROWS = 1_000_000
AT_ONCE = 10_000
Figures = dict[str, raw.Times]  # by the question
MAKE = f"""
import sys
from datetime import timedelta
from random import Random
from portal_app import clock, db, migrations
from portal_app.audit import chain
from portal_app.audit.tags import Activity
from portal_app.demo.generator import generate
from portal_app.demo.service import ensure_demo
from portal_app.models import Account, Partner, User
from sqlmodel import select
migrations.upgrade(); ensure_demo(); generate(1_000)
with db.reading() as session:
    partner = session.exec(select(Partner.id).where(Partner.code == "BENCH001")).one()
    accounts = session.exec(select(Account.id, Account.name).where(Account.partner_id == partner)).all()
chooser, begun, kinds = Random(1), clock.now() - timedelta(days=365), list(Activity)
people = [f"person{{n:02}}@bench.example" for n in range(40)]
for start in range(0, {ROWS}, {AT_ONCE}):
    rows = []
    for n in range(start, start + {AT_ONCE}):
        account, name = chooser.choice(accounts) if chooser.random() < 0.7 else (None, "")
        rows.append({{
            "partner_id": partner, "account_id": account, "account_name": name, "user_id": None,
            "performed_by": chooser.choice(people), "activity": chooser.choices(kinds, range(len(kinds), 0, -1))[0],
            "completed": chooser.random() > 0.02, "description": f"What was done, {{n}}", "address": "192.0.2.9",
            "browser": "Firefox on Linux", "made_at": begun + timedelta(seconds=30 * n),
        }})
    db.write(chain.add, rows)
"""
DAYS = {"since": "2026-03-01", "until": "2026-03-31"}
QUESTIONS: dict[str, dict[str, Any]] = {
    "all": {},
    "dates": DAYS,
    "activity": {"activity": Activity.SIGN_IN},
    "failed": {"status": "failed"},
    "completed": {"status": "completed"},
    "account": {"account": "000104"},
    "user": {"user": "person07@bench.example"},
    "part of a user": {"user": "person1"},
    "activity, failed": {"activity": Activity.SIGN_IN, "status": "failed"},
    "account, failed": {"account": "000104", "status": "failed"},
    "account, user": {"account": "000104", "user": "person07@bench.example"},
    "user, activity, dates": {"user": "person07@bench.example", "activity": Activity.SUBSCRIBED} | DAYS,
    "all five": {"account": "000104", "user": "person07", "activity": Activity.SIGN_IN, "status": "completed"} | DAYS,
}


def measure(number: int) -> tuple[Figures, dict[str, float]]:
    """Each question so often, page and raw in turn, at the first page and in the middle; then export and check."""
    raw.use(_database())
    actor = raw.administrator()
    figures: Figures = {}
    for name, asked in QUESTIONS.items():
        query = AuditQuery(**asked)
        figures[name] = _compare(actor, query, number)
        page = db.read(reading.page, actor, query)
        if page.older:
            deep = AuditQuery(**asked, before=_middle(actor, query) or page.rows[-1].mark)
            figures[f"{name}, further on"] = _compare(actor, deep, number)
    return figures, {"verify, s": _seconds(_verify, actor), "export, s": _seconds(_export, actor)}


def _middle(actor: Actor, query: AuditQuery) -> Any:
    page = db.read(reading.page, actor, AuditQuery(until="2026-06-01"))
    return page.rows[0].mark if page.rows and not query.since else None


def _compare(actor: Actor, query: AuditQuery, number: int) -> raw.Times:
    return raw.compare(lambda: db.read(reading.page, actor, query), number)


def _verify(actor: Actor) -> None:
    verdict = db.read(verify.verify, actor.partner_id)
    assert (verdict.rows, verdict.fault) == (ROWS, ""), verdict


def _export(actor: Actor) -> None:
    begun, last, rows = db.write(reading.begin_export, actor, AuditQuery()), None, 0
    while part := db.read(reading.export_part, actor, begun, last):
        reading.as_csv(part, actor.time_zone)
        rows, last = rows + len(part), part[-1]
    assert rows >= ROWS, rows


def _seconds(do: Any, *args: Any) -> float:
    return raw.timed(do, *args) / 1000


def _database() -> Path:
    """A folder of a database with so many rows; made when missing or outdated."""
    folder = data.cache() / f"audit-{ROWS}-{data.made_of()}"
    if not (folder / "complete").exists():
        for old in data.cache().glob(f"audit-{ROWS}-*"):
            shutil.rmtree(old)
        print(f"Making {ROWS:,} rows of audit …", file=sys.stderr, flush=True)
        environment = data.environment(data_dir=folder, demo=1)
        subprocess.run([sys.executable, "-c", MAKE], cwd=data.ROOT, env=environment, check=True, timeout=1800)
        (folder / "complete").touch()
    return folder


def questions(figures: Figures) -> Iterator[tuple[str, list[float], list[float]]]:
    """Each question with its times of the page and of its statements."""
    for name, times in figures.items():
        yield name, times["page"], times["raw"]
