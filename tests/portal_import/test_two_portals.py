"""From the facade of a second instance with demo data, by either version: all comes over, and once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import select

from portal_app import db
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.models import (
    Account,
    BackupEntity,
    BackupTask,
    Bill,
    ImportedBill,
    Job,
    PortalImport,
    PortalLink,
    Subscription,
)
from portal_app.portal_import import service
from portal_app.settings import reset_settings
from tests.cast import Cast, cast  # noqa: F401 (the fixture)
from tests.portal_import.conftest import worker
from tests.portal_import.portals import OtherPortal
from tests.tables import stored

TABLES = (Account, BackupTask, BackupEntity, ImportedBill, PortalLink, Bill, Subscription)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherPortal]:
    with OtherPortal(tmp_path_factory.mktemp("other")) as portal:
        yield portal


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:  # noqa: F811
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "1")
    reset_settings()
    db.write(ensure_data_centers)


def there(other: OtherPortal, query: str) -> list[Any]:
    made = create_engine(f"sqlite:///{other.data_dir / 'portal.db'}")
    try:
        with made.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        made.dispose()


def address(other: OtherPortal) -> str:
    return there(other, "SELECT email FROM portal_user WHERE role = 'administrator' AND partner_id = 1 LIMIT 1")[0][0]


def dry_run(other: OtherPortal, cast: Cast, version: int) -> tuple[str, Any]:  # noqa: F811
    actor = cast.actor("alice")
    import_id = db.write(service.begin, actor, other.form(version, address(other)))
    worker().run_due()
    seen = db.read(service.find, actor, import_id)
    assert (seen.state, seen.fault) == ("ready", "")
    return import_id, db.read(service.dry_run, actor, import_id)


def apply(cast: Cast, import_id: str) -> None:  # noqa: F811
    actor = cast.actor("alice")
    digest = db.read(service.find, actor, import_id).digest
    db.write(service.start, actor, import_id, digest)
    worker().run_due()
    seen = db.read(service.find, actor, import_id)
    assert (seen.state, seen.fault) == ("done", "")
    assert db.read(service.dry_run, actor, import_id).failed == []


def content() -> dict[str, Any]:
    def read(session: Any) -> dict[str, Any]:
        return {one.__name__: [row.model_dump() for row in session.exec(select(one))] for one in TABLES}

    return db.read(read)


def whole(outcome: str | None) -> str:
    """What can be told of a task by its entities: none said anything, all are well, not all are."""
    return {None: "", "none": "", "successful": "all"}.get(outcome, "not all")


@pytest.mark.parametrize("versions", [(1, 2), (2, 1)])
def test_everything_comes_over_and_once(other: OtherPortal, cast: Cast, versions: tuple[int, int]) -> None:  # noqa: F811
    before = content()
    import_id, report = dry_run(other, cast, versions[0])
    assert content() == before, "a dry run changes nothing"
    # A bill names its account and nothing else: of two accounts with one name nobody knows whose it is.
    assert {(fault[0], fault[2]) for fault in report.faults} <= {("Bill", "name")}
    assert report.oddities == []
    mine = "FROM account WHERE partner_id = 1"
    status = Counter(row[0] for row in there(other, f"SELECT status {mine}"))
    expected = status.total() - status["trial_expired"]
    assert report.totals["add"] == expected
    assert report.totals.get("left", 0) == status["trial_expired"]

    apply(cast, import_id)
    after = content()
    new = [row for row in after["Account"] if row not in before["Account"]]
    kept = f"{mine} AND status <> 'trial_expired'"
    assert sorted((row["name"], row["email"], row["size_bytes"], whole(row["backup_status"])) for row in new) == sorted(
        (*row, whole(state)) for *row, state in there(other, f"SELECT name, email, size_bytes, backup_status {kept}")
    )
    subscribed = status["monthly"] + status["annual"]
    assert Counter(row["status"] for row in new)["monthly"] == subscribed
    assert Counter(row["status"] for row in new)["trial_started"] == expected - subscribed
    tasks = [row for row in after["BackupTask"] if row not in before["BackupTask"]]
    of_kept = f"WHERE account_id IN (SELECT id {kept})"
    theirs = there(other, f"SELECT name, service, size_bytes, last_outcome FROM backup_task {of_kept}")  # noqa: S608
    assert sorted(
        (row["name"], row["service"], row["size_bytes"], whole(row["last_outcome"])) for row in tasks
    ) == sorted((*row, whole(outcome)) for *row, outcome in theirs)
    backed_up = f"{of_kept} AND standing IN ('active', 'inactive', 'archived')"
    ((entities,),) = there(other, f"SELECT count(*) FROM backup_entity {backed_up}")  # noqa: S608
    assert len(after["BackupEntity"]) == entities > 0
    ((shares,),) = there(other, "SELECT count(*) FROM bill_share JOIN bill ON bill.id = bill_id AND partner_id = 1")
    assert shares > 0
    assert len(after["ImportedBill"]) == shares - len(report.faults)
    assert after["Bill"] == before["Bill"], "imported bills are no bills of ours"

    import_id, report = dry_run(other, cast, versions[1])
    assert report.totals.get("add", 0) == report.totals.get("change", 0) == 0
    assert report.totals["same"] == expected
    apply(cast, import_id)
    assert content() == after, "the second time changes nothing"


def test_the_credentials_are_gone_once_the_portal_is_read(other: OtherPortal, cast: Cast) -> None:  # noqa: F811
    import_id, _ = dry_run(other, cast, 2)
    row = db.read(lambda session: session.get(PortalImport, import_id))
    assert row.sealed is None
    assert other.token.encode() not in stored()
    jobs = db.read(lambda session: [row.model_dump() for row in session.exec(select(Job))])
    assert other.token not in str(jobs)
