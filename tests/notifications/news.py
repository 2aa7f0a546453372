"""What happens to backups in these tests, and what the outbox holds of it."""

from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.mail.letter import Letter
from portal_app.mail.outbox import letter_of
from portal_app.models import (
    Account,
    BackupEntity,
    BackupRun,
    BackupTask,
    NotificationRecipient,
    NotificationSettings,
    OutboxMail,
    Partner,
)
from portal_app.notifications import looking
from portal_app.notifications.rows import KINDS
from tests import factories


def look() -> None:
    """One minute's look at all that is new."""
    for one in looking.looks(Event()):
        one()


def recipient(session: Session, of: Partner, *kinds: str, **given: Any) -> NotificationRecipient:
    """Ann, who gets these kinds; all without any."""
    values = {"partner_id": of.id, "email": "ann@readers.example", "name": "Ann", "created_at": clock.now()} | given
    values |= {"email_key": values["email"]} | dict.fromkeys(kinds or KINDS, True)
    return factories.save(session, NotificationRecipient(**values))


def settings(session: Session, of: Partner, **given: Any) -> NotificationSettings:
    return factories.save(session, NotificationSettings(partner_id=of.id, **given))


def task_of(session: Session, account: Account) -> BackupTask:
    return session.exec(select(BackupTask).where(col(BackupTask.account_id) == account.id)).one()


def run(session: Session, account: Account, outcome: str, at: datetime | None = None, **given: Any) -> BackupRun:
    """A run of the account's only task that ended then."""
    task, at = task_of(session, account), at or clock.now()
    made = session.exec(select(BackupRun.id).where(col(BackupRun.task_id) == task.id)).all()
    values = {"account_id": account.id, "task_id": task.id, "run_key": f"r{len(made)}", "outcome": outcome}
    values |= {"started_at": at, "finished_at": at, "received_at": at}
    task.last_outcome, task.last_finished_at = outcome, at
    session.add(task)
    return factories.save(session, BackupRun(**values | given))


def entity(session: Session, account: Account, name: str, **given: Any) -> BackupEntity:
    task = task_of(session, account)
    values = {"account_id": account.id, "task_id": task.id, "key": name, "name": name, "name_key": name}
    return factories.save(session, BackupEntity(**values | {"found_at": clock.now()} | given))


def mails(kind: str = "") -> list[OutboxMail]:
    wanted = select(OutboxMail).order_by(col(OutboxMail.id))
    found = db.read(lambda session: list(session.exec(wanted)))
    return [mail for mail in found if kind in ("", mail.kind)]


def letters() -> list[Letter]:
    return [found for mail in mails() if (found := letter_of(mail))]


def at(patch: pytest.MonkeyPatch, instant: datetime) -> None:
    """Let it be this instant from now on."""
    patch.setattr(clock, "now", lambda: instant)


def later(patch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Let time pass."""
    at(patch, clock.now() + by)
