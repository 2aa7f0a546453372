"""The shapes, the pages and the values that the existing portal's clients read."""

import math
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from portal_app import clock, db
from portal_app.models import Account, BackupTask, Partner
from tests.cast import Cast
from tests.compat.conftest import LISTS, Caller, bill_of, entity_of

PARTNER = "partnerId email contactName discount phone currency address region"
ACCOUNT = """id name email status date dailyReport region discount reportEmails partnerID currency customStorage
ms365EnterprisePlan gsuiteEnterprisePlan"""
TASK = """id account type source userId domain status region alias backupTaskId index snapshotDate lastBackupDates
nextBackup progress size createDate numOfBilledEntities numOfEntities userEmail multiEntitiesTask"""
STATE = "userId taskId source entityName lastBackupDate lastBackupAttemptDate backupDuration size backupStatus"
SUB_STATE = "subSource status error errFAQLink"
BILL = "name period discount total lines paymentType trialDaysLeft subscribed"
LINE = "serviceType service quantity price total seat storage source"
FIELDS = dict(zip(range(4), (ACCOUNT, TASK, STATE, BILL), strict=True))


def data(caller: Caller, number: int, version: str = "v1", **params: Any) -> list[dict[str, Any]]:
    told = caller.get(f"{version}/{LISTS[version][number]}", **params)
    assert told.status_code == 200, told.text
    return told.json()["data"]


@pytest.fixture
def filled(caller: Caller, cast: Cast) -> Caller:
    def do(session: Any) -> None:
        bill_of(session, cast.accounts_a[1])
        bill_of(session, cast.accounts_b[0], number=2)
        task = session.exec(select(BackupTask).where(BackupTask.account_id == cast.accounts_a[0].id)).one()
        task.service, task.entities, task.billed_entities = "sharepoint", 4, 2
        session.add(task)
        entity_of(session, task, "Team", standing="active")
        entity_of(session, task, "Old", standing="archived")
        entity_of(session, task, "Broken", outcome="failed", error="The sign-in was refused.", last_backup_at=None)
        entity_of(session, task, "Found", standing="waiting")
        ran = session.exec(select(BackupTask).where(BackupTask.account_id == cast.accounts_a[1].id)).one()
        ran.last_outcome, ran.last_finished_at = "failed", clock.now()
        session.add(ran)

    db.write(do)
    return caller


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_object_has_every_field(filled: Caller, version: str) -> None:
    for number, fields in FIELDS.items():
        rows = data(filled, number, version)
        assert rows
        assert all(set(row) == set(fields.split()) for row in rows)
    assert all(set(sub) == set(SUB_STATE.split()) for row in data(filled, 2, version) for sub in row["backupStatus"])
    assert all(set(line) == set(LINE.split()) for row in data(filled, 3, version) for line in row["lines"])


@pytest.mark.parametrize("path", ["v1/partners", "v2/resellers/details"])
def test_the_partner_is_one_object(caller: Caller, cast: Cast, path: str) -> None:
    told = caller.get(path).json()
    assert set(told) == set(PARTNER.split())
    assert (told["partnerId"], told["email"], told["currency"]) == ("ALPHA001", "alice@people.example", "USD")


def test_both_versions_say_the_same(filled: Caller) -> None:
    for number in FIELDS:
        assert data(filled, number, "v1") == data(filled, number, "v2")


def test_accounts(filled: Caller, cast: Cast) -> None:
    ash, birch, _ = data(filled, 0)
    account = cast.accounts_a[0]
    assert (ash["id"], ash["name"], ash["email"]) == (str(account.id), account.name, account.email)
    assert (ash["status"], birch["status"]) == ("TRIAL", "ACTIVE")
    assert ash["date"] == int(f"{account.created_at:%Y%m%d}")
    assert (ash["partnerID"], ash["reportEmails"], ash["dailyReport"], ash["discount"]) == ("ALPHA001", [], False, 0)


def test_tasks(filled: Caller, cast: Cast) -> None:
    task = data(filled, 1)[0]
    assert (task["source"], task["userId"]) == ("SHAREPOINT_MULTI", str(cast.accounts_a[0].id))
    assert (task["numOfEntities"], task["numOfBilledEntities"], task["multiEntitiesTask"]) == (4, 2, True)
    assert (task["lastBackupDates"], task["snapshotDate"], task["nextBackup"]) == ({}, None, None)
    assert task["createDate"].endswith("Z")
    last = data(filled, 1)[1]["lastBackupDates"]["GENERIC"]
    assert isinstance(last, int)
    assert len(str(last)) == 14


def test_the_next_backup_is_a_text(filled: Caller) -> None:
    def do(session: Any) -> None:
        tasks = session.exec(select(BackupTask).order_by(col(BackupTask.id))).all()
        for task, hours in zip(tasks, (7, 1, 0, 5, 5), strict=True):
            task.next_run_at = clock.now() + timedelta(hours=hours, seconds=5)
            session.add(task)

    db.write(do)
    assert [row["nextBackup"] for row in data(filled, 1)] == ["In 7 hours", "In 1 hour", "In less than an hour"]


def test_states_tell_of_entities_and_of_tasks_that_have_none(filled: Caller) -> None:
    told = {row["entityName"]: row for row in data(filled, 2)}
    assert set(told) == {"Team", "Old", "Broken", "Files of Alpha Birch"}
    statuses = {name: row["backupStatus"][0]["status"] for name, row in told.items()}
    assert statuses == {"Team": "ACTIVE", "Old": "ARCHIVED", "Broken": "FAILED", "Files of Alpha Birch": "FAILED"}
    assert told["Broken"]["backupStatus"][0]["error"] == "The sign-in was refused."
    assert told["Files of Alpha Birch"]["backupStatus"][0]["subSource"] == "TASK"
    assert told["Team"]["lastBackupDate"] == "2026-11-20T02:03:04.000Z"
    assert (told["Broken"]["lastBackupDate"], told["Files of Alpha Birch"]["lastBackupDate"]) == (None, None)


def test_numbers_are_texts_in_bills(filled: Caller) -> None:
    (bill,) = data(filled, 3)
    assert (bill["name"], bill["period"], bill["total"]) == ("Alpha Birch", "2026-11-01 - 2026-11-30", "12.34")
    assert (bill["discount"], bill["paymentType"], bill["subscribed"], bill["trialDaysLeft"]) == ("0", "CARD", True, 0)
    (line,) = bill["lines"]
    assert (line["quantity"], line["price"], line["total"]) == ("2.5", "5.00", "12.34")
    assert (line["seat"], line["storage"], line["source"]) == ("2.5", "", "GMAIL")


def test_yen_have_no_cents(filled: Caller) -> None:
    db.write(lambda session: session.connection().exec_driver_sql("UPDATE bill SET currency = 'JPY'"))
    assert data(filled, 3)[0]["total"] == "1234"


@pytest.mark.parametrize("number", FIELDS)
def test_the_first_kind_pages_by_size_number_and_token(filled: Caller, number: int) -> None:
    url, whole = f"v1/{LISTS['v1'][number]}", data(filled, number)
    seen, params = [], {"pageSize": 1}
    for page in range(1, len(whole) + 1):
        told = filled.get(url, **params).json()
        assert (told["page"], told["totalPages"], told["total"]) == (page, len(whole), len(whole))
        seen += told["data"]
        params = {"pageSize": 1, "page": page + 1, "nextPageToken": told["nextPageToken"]}
    assert seen == whole
    assert params["nextPageToken"] is None


def test_the_token_alone_goes_on_too(filled: Caller) -> None:
    first = filled.get("v1/partners/users", pageSize=2).json()
    told = filled.get("v1/partners/users", pageSize=2, nextPageToken=first["nextPageToken"]).json()
    assert (told["page"], len(told["data"])) == (2, 1)


@pytest.mark.parametrize("number", FIELDS)
def test_the_second_kind_pages_until_total(filled: Caller, number: int) -> None:
    """One client goes on until it has `total` objects; it counts from the page it was given."""
    url, whole = f"v2/{LISTS['v2'][number]}", data(filled, number)
    seen: list[Any] = []
    page, total = None, 0
    while page is None or len(seen) < total:
        told = filled.get(url, limit=2, **({} if page is None else {"page": page})).json()
        assert set(told) == {"page", "totalPages", "total", "data"}
        total, page = told["total"], told["page"] + 1
        assert told["totalPages"] == max(1, math.ceil(total / 2))
        seen += told["data"]
    assert seen == whole


def test_a_page_behind_the_last_is_empty_and_sizes_have_a_limit(filled: Caller) -> None:
    assert data(filled, 0, page=9) == []
    assert len(data(filled, 0, pageSize=10**6)) == 3
    for wrong in ({"page": 0}, {"pageSize": 0}, {"page": "x"}, {"page": 10**12}):
        assert filled.get("v1/partners/users", **wrong).status_code == 422


def test_there_are_no_partners_of_partners(caller: Caller) -> None:
    told = caller.get("v1/partners/resellers", pageSize=500).json()
    assert told == {"page": 1, "totalPages": 1, "total": 0, "nextPageToken": None, "data": []}


def test_a_partner_with_nothing_reads_empty_lists(caller: Caller) -> None:
    db.write(lambda session: session.query(Account).delete())
    assert db.read(lambda session: session.query(Partner).count()) == 3
    for number in FIELDS:
        assert data(caller, number) == []


def test_the_second_sign_in_gives_just_the_pass(caller: Caller) -> None:
    assert set(caller.sign_in("v2").json()) == {"accessToken"}
    assert set(caller.sign_in("v1").json()) == {"accessToken", "refreshToken", "tokenType", "expiresIn"}
