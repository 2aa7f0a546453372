"""A task that the portal itself backs up: a folder of small files, to run, to break and to restore in the demo."""

from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from portal_app.backups import schedule
from portal_app.backups.engine import sources
from portal_app.backups.rows import Service
from portal_app.models import Account, BackupTask, SourceKind, TaskEngine
from portal_app.settings import settings

NAME = "Office files"
_FILES = {
    "Contracts/Lease of the workshop.txt": "The workshop is let for five years. The rent is due monthly.\n",
    "Contracts/Supply of timber.txt": "Forty cubic metres of oak a year, delivered each quarter.\n",
    "Invoices/2026-001.csv": "Item,Quantity,Price\nOak table,1,1200.00\nChair,6,180.00\n",
    "Invoices/2026-002.csv": "Item,Quantity,Price\nShelf,3,240.00\n",
    "Plans/Kitchen.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"><path d="M1 1h38v28H1"/></svg>\n',
    "Read me first.txt": "Change or delete a file here, back the task up, and restore it in the portal.\n",
}


def add_task(session: Session, account: Account, now: datetime) -> BackupTask:
    """Write the files and add the account's task over their folder; it has not run yet."""
    write_files(settings().demo_files)
    task = BackupTask(
        account_id=account.id,
        key="built-in-demo",
        name=NAME,
        service=Service.GENERIC,
        engine=TaskEngine.BUILT_IN,
        keep_days=90,
        created_at=now,
    )
    session.add(task)
    session.flush()
    source = sources.parse(SourceKind.FOLDER, {"path": str(settings().demo_files)})
    task.source_kind, task.source_place = source.kind, source.place
    task.source_sealed = sources.seal(source, partner_id=account.partner_id, task_id=task.id or 0)
    task.next_run_at = schedule.next_after(task, now)
    return task


def write_files(folder: Path) -> None:
    """The files, as they are at first."""
    for name, text in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
