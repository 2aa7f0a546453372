"""Several processes look at once, on each database: each piece of news is told once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.models import BackupRun, Job, JobState
from portal_app.notifications import radar
from tests import factories
from tests.cast import Cast, make_cast
from tests.notifications.news import at, entity, look, mails, recipient, run, settings, task_of

SIX = datetime(2026, 11, 25, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT_ONCE, ROUNDS = 4, 5


@pytest.fixture
def people(store: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Each partner's recipient gets everything, and Backup Radar too."""
    at(monkeypatch, SIX + 10 * timedelta(minutes=1))
    made = db.write(make_cast)

    def begin(session: Session) -> None:
        for account in (*made.accounts_a, *made.accounts_b):
            entity(session, account, "first", found_at=SIX - DAY, told=True)
        for one in session.exec(select(BackupRun)):
            one.finished_at = one.started_at = one.received_at = SIX - 60 * DAY
        for partner, address in ((made.partner_a, "ann@a.example"), (made.partner_b, "ben@b.example")):
            recipient(session, partner, email=address)
            chosen = {"radar_enabled": True, "radar_address": f"radar-{address}", "radar_until": SIX - HOUR}
            settings(session, partner, summarised_until=SIX - DAY, **chosen)

    db.write(begin)
    return made


def happen(session: Session, cast: Cast, number: int) -> None:
    """In each account a backup fails, something is found, and a restore ends."""
    for account in (*cast.accounts_a, *cast.accounts_b):
        run(session, account, "failed", SIX - HOUR / 2)
        entity(session, account, f"box {number}", found_at=SIX)
        task = task_of(session, account)
        given = {"kind": "restore", "state": JobState.DONE, "run_at": SIX, "created_at": SIX, "finished_at": SIX}
        factories.save(session, Job(partner_id=account.partner_id, account_id=account.id, task_id=task.id, **given))


def test_each_piece_of_news_is_told_once(people: Cast) -> None:
    together = Barrier(AT_ONCE)

    def look_together() -> None:
        together.wait(30)
        look()

    for number in range(ROUNDS):
        db.write(happen, people, number)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(look_together) for _ in range(AT_ONCE)]:
                done.result()
    told = Counter((mail.recipient, mail.subject) for mail in mails() if mail.kind != radar.KIND)
    for address, accounts in (("ann@a.example", 3), ("ben@b.example", 2)):
        assert told == told | {
            (address, f"Backups: {accounts} failed"): 1,
            (address, f"Backups of the last day: {accounts} failed"): 1,
            (address, f"{accounts} new entities added to backups"): ROUNDS,
            (address, f"{accounts} restores and exports ended"): ROUNDS,
        }
    assert sum(told.values()) == 2 * (2 + 2 * ROUNDS)
    assert Counter(mail.recipient for mail in mails(radar.KIND)) == {
        "radar-ann@a.example": 1,
        "radar-ben@b.example": 1,
    }
