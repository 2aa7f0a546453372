"""What many built-in backups at once cost the clicks of somebody else.

`python -m tests.bench.backups [BACKUPS] [ACCOUNTS]`: a server with its worker, folders of random data, filter clicks
before and while so many backups run.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.bench import browser as at
from tests.bench import data
from tests.bench.servers import PORTAL, Server, free_port, running, wait_for

MEGABYTES = 160
CLICKS = 40
MAKE = """
import sys
from sqlmodel import select
from portal_app import clock, db
from portal_app.auth.actor import system
from portal_app.backups.engine import runs, sources
from portal_app.models import Account, BackupTask

def make(session):
    for number, account in enumerate(session.exec(select(Account).limit(int(sys.argv[1]))).all()):
        source = sources.parse("folder", {"path": f"{sys.argv[2]}/{number}"})
        task = BackupTask(account_id=account.id, key=f"bench{number}", name="Bench", engine="built_in",
                          source_kind="folder", created_at=clock.now())
        session.add(task)
        session.flush()
        task.source_sealed = sources.seal(source, partner_id=account.partner_id, task_id=task.id)
        session.flush()
        runs.start(session, system(), task.id)

db.write(make)
"""


def clicks(page) -> list[float]:
    """Filter clicks, in milliseconds."""
    words = {"monthly": "Monthly Subscribed", "annual": "Annual Subscribed"}
    return [at.filter_by(page, key, words[key]) for _ in range(CLICKS // 2) for key in words]


def running_jobs(folder: Path) -> int:
    """How many backups run now."""
    engine = create_engine(f"sqlite:///{folder / 'portal.db'}")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM job WHERE kind = 'backup' AND state = 'running'"))
        return found.scalar_one()


def measure(number: int, accounts: int, folder: Path) -> dict[str, list[float]]:
    """Clicks while it is quiet, and while the backups run."""
    sources = folder / "sources"
    for one in range(number):
        (sources / str(one) / "files").mkdir(parents=True)
        for part in range(MEGABYTES // 20):
            (sources / str(one) / "files" / f"{part}.bin").write_bytes(os.urandom(20_000_000))
    home = folder / "home"
    data.copy_database(accounts, home)
    port = free_port()
    settings = data.environment(
        data_dir=home,
        demo=1,
        port=port,
        daily_work=0,
        log_level="WARNING",
        backups_at_once=number,
        backup_folders=f"BENCH001={sources}",
    )
    url = f"http://127.0.0.1:{port}"
    with running([sys.executable, "-m", "portal_app.serve"], settings, folder / "log"), at.chromium() as browser:
        wait_for(url)
        with at.Visitor(browser, Server(PORTAL, url, home)).first_visit() as page:
            at.filter_by(page, "trial_started")
            found = {"quiet": clicks(page)}
            made = [sys.executable, "-c", MAKE, str(number), str(sources)]
            subprocess.run(made, cwd=data.ROOT, env=settings, check=True, timeout=60)
            ends = time.monotonic() + 60
            while running_jobs(home) < number and time.monotonic() < ends:
                time.sleep(0.2)
            begun = running_jobs(home)
            found["beside"] = clicks(page)
            print(f"backups running: {begun} at the first click, {running_jobs(home)} after the last")
            return found


def main() -> None:
    """Print both figures and their relation."""
    number, accounts = (int(one) for one in (*sys.argv[1:], "20", "10000")[:2])
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        found = measure(number, accounts, Path(folder))
    medians = {name: statistics.median(times) for name, times in found.items()}
    for name, times in found.items():
        print(f"{name}: median {medians[name]:.0f} ms, p95 {sorted(times)[int(0.95 * len(times))]:.0f} ms")
    print(f"{medians['beside'] / medians['quiet']:.2f} times the quiet")


if __name__ == "__main__":
    main()
