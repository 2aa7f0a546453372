"""A portal of a test's own, a place to import into, and who does it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.jobs.handlers import OTHERS
from portal_app.jobs.worker import Worker
from portal_app.portal_import import client, service
from portal_app.portal_import.report import Report
from portal_app.portal_import.service import Seen
from portal_app.settings import reset_settings
from tests.cast import Cast, cast  # noqa: F401 (the fixture)
from tests.portal_import.portals import SECRETS, Portal


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch, database: Any) -> None:
    """Portals of tests lie on this machine, and nobody waits for one that is busy."""
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "1")
    monkeypatch.setattr(client, "WAITS", (0, 0, 0))
    monkeypatch.setattr(client, "LONGEST_WAIT", 0)
    reset_settings()
    db.write(ensure_data_centers)


@pytest.fixture
def portal() -> Iterator[Portal]:
    lists = {"accounts": [account()], "tasks": [task()], "states": [state()], "bills": [bill()]}
    with Portal(lists) as made:
        yield made


def account(number: int = 1, **given: Any) -> dict[str, Any]:
    """An active customer as a portal tells of one."""
    values = {"id": f"a-{number}", "name": f"Firm {number}", "email": f"firm{number}@there.example"}
    return values | {"status": "ACTIVE", "region": "EU_FRANKFURT", "date": 20210311, "customStorage": None} | given


def task(number: int = 1, owner: int = 1, **given: Any) -> dict[str, Any]:
    """A task of the customer with that number, last backed up on 30 March 2023."""
    values = {"id": f"t-{number}", "userId": f"a-{owner}", "source": "SHAREPOINT_MULTI", "alias": f"Sites {number}"}
    values |= {"status": "ACTIVE", "backupTaskId": None, "size": 7355928, "numOfEntities": 1}
    return values | {"lastBackupDates": {"SHAREPOINT_MULTI": 20230330202812}, "numOfBilledEntities": 1} | given


def state(name: str = "Team", of: int = 1, status: str = "ACTIVE", **given: Any) -> dict[str, Any]:
    """An entity of the task with that number, with one sub-source."""
    dates = {"lastBackupDate": "2023-03-30T20:28:12.000Z", "lastBackupAttemptDate": 20230330202812}
    values = {"taskId": f"t-{of}", "userId": "a-1", "source": "SHAREPOINT_MULTI", "entityName": name, "size": 5}
    parts = [{"subSource": "SITE", "status": status, "error": None, "errFAQLink": None}]
    return values | dates | {"backupStatus": parts} | given


def bill(name: str = "Firm 1", **given: Any) -> dict[str, Any]:
    """A bill of March 2023."""
    line = {"serviceType": "BACKUP", "service": "SharePoint", "quantity": "1", "price": "2.50", "total": "2.50"}
    values = {"name": name, "period": "2023-03", "discount": "0", "total": "2.50", "lines": [line]}
    return values | {"paymentType": "CARD"} | given


def worker() -> Worker:
    """One that does what is due, imports among it."""
    return Worker(OTHERS, 1)


Shown = tuple[Seen, Report]


def dry_run(cast: Cast, portal: Portal, who: str = "alice", version: int = 1) -> Shown:  # noqa: F811
    actor = cast.actor(who)
    import_id = db.write(service.begin, actor, SECRETS | {"url": portal.url, "version": str(version)})
    worker().run_due()
    return look(cast, import_id, who)


def look(cast: Cast, import_id: str, who: str = "alice") -> Shown:  # noqa: F811
    return db.read(service.find, cast.actor(who), import_id), db.read(service.dry_run, cast.actor(who), import_id)


def apply(cast: Cast, seen: Seen, who: str = "alice") -> Shown:  # noqa: F811
    db.write(service.start, cast.actor(who), seen.id, seen.digest)
    worker().run_due()
    return look(cast, seen.id, who)


def whole(cast: Cast, portal: Portal, who: str = "alice") -> Shown:  # noqa: F811
    """Dry run and import."""
    seen, _ = dry_run(cast, portal, who)
    assert (seen.state, seen.fault) == ("ready", "")
    return apply(cast, seen, who)


def rows(model: Any, *where: Any) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model).where(*where).order_by(model.id)).all()))
