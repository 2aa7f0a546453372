"""What the API tells: to whom, which rows, and in which pages."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.backups.service import record_run
from portal_app.models import AccountStatus, BackupTask, Bill, BillingStatus, BillLine, BillShare, Job
from tests import factories
from tests.api.conftest import Client, bearer, new_token
from tests.backups.conftest import Cast, report

ALL = tuple(Permission)
READS = {
    "/api/v1/accounts": Permission.DASHBOARD_VIEW,
    "/api/v1/accounts/{account}": Permission.ACCOUNTS_ACCESS,
    "/api/v1/accounts/{account}/tasks": Permission.ACCOUNTS_ACCESS,
    "/api/v1/tasks/{task}": Permission.ACCOUNTS_ACCESS,
    "/api/v1/tasks/{task}/entities": Permission.ACCOUNTS_ACCESS,
    "/api/v1/runs": Permission.ACCOUNTS_ACCESS,
    "/api/v1/runs?account_id={account}": Permission.ACCOUNTS_ACCESS,
    "/api/v1/runs?task_id={task}": Permission.ACCOUNTS_ACCESS,
    "/api/v1/bills": Permission.BILLING_VIEW,
    "/api/v1/bills/{bill}": Permission.BILLING_VIEW,
    "/api/v1/bills/{bill}/lines": Permission.BILLING_VIEW,
    "/api/v1/bills/{bill}.csv": Permission.BILLING_VIEW,
    "/api/v1/bills/{bill}.pdf": Permission.BILLING_VIEW,
    "/api/v1/users": Permission.USERS_MANAGE,
    "/api/v1/audit": Permission.AUDIT_VIEW,
    "/api/v1/data-centers": Permission.ACCOUNTS_ADD,
}
NAMED = [path for path in READS if "{" in path]


@pytest.fixture
def rows(cast: Cast) -> dict[str, int]:
    """Numbers of an account, a task and a bill of Alice's partner."""
    task = db.write(record_run, cast.engine, report(cast)).task_id
    db.write(_bill, cast, 41197)
    return {"account": cast.account, "task": task, "bill": 41197}


@pytest.fixture
def get(client: Client, cast: Cast) -> Any:
    token = new_token(cast.partner_id, *ALL)
    return lambda path, **asked: client.get(path, params=asked or None, headers=bearer(token))


def _bill(session: Session, cast: Cast, number: int, **given: Any) -> None:
    values = {"kind": "account", "account_id": cast.account, "plan": "monthly", "method": "invoice"}
    values |= {"currency": "USD", "net_minor": 2000, "tax_minor": 600, "total_minor": 2600, "tax_bp": 3000}
    days = {name: date(2026, 11, 1) for name in ("issued_on", "effective_on", "due_on")}
    seller = {"seller": {"name": "Keelson"}, "buyer": {"company": "Partner"}}
    of = {"number": number, "once": f"test:{number}", "partner_id": cast.partner_id, "created_at": clock.now()}
    bill = factories.save(session, Bill(**values | days | seller | of | given))
    about = {"bill_id": bill.id, "account_id": cast.account, "account_name": "Customer"}
    span = {"starts_on": date(2026, 11, 1), "ends_on": date(2026, 12, 1)}
    for position, part in enumerate((1200, 800)):
        session.add(BillLine(**about, **span, position=position, description="Mailboxes", amount_minor=part))
    session.add(BillShare(**about, account_email=cast.email, amount_minor=bill.total_minor))


@pytest.mark.parametrize("path", READS)
def test_only_with_the_permission(client: Client, cast: Cast, rows: dict[str, int], path: str) -> None:
    address = path.format(**rows)
    others = [one for one in ALL if one != READS[path]]
    told = client.get(address, headers=bearer(new_token(cast.partner_id, *others)))
    assert (told.status_code, told.json()["detail"]) == (403, READS[path].refusal)
    told = client.get(address, headers=bearer(new_token(cast.partner_id, READS[path])))
    assert told.status_code == 200
    assert told.headers["cache-control"] == "no-store"
    assert client.get(address).status_code == 401


@pytest.mark.parametrize("path", NAMED)
def test_a_strangers_row_is_like_an_unknown_one(client: Client, cast: Cast, rows: dict[str, int], path: str) -> None:
    stranger = bearer(new_token(cast.charlie.partner_id, *ALL))
    told = [client.get(path.format(**which), headers=stranger) for which in (rows, dict.fromkeys(rows, 987_654))]
    assert {(one.status_code, one.content) for one in told} == {(404, told[0].content)}


@pytest.mark.parametrize("path", [path for path in READS if "{" not in path])
def test_a_stranger_sees_none_of_our_rows(client: Client, cast: Cast, rows: dict[str, int], path: str) -> None:
    told = client.get(path, headers=bearer(new_token(cast.charlie.partner_id, *ALL))).text
    for ours in (cast.email, cast.alice.email, "41197", '"task_id"'):
        assert ours not in told


def test_accounts_come_in_pages_each_once(get: Any, cast: Cast) -> None:
    def add(session: Session) -> None:
        ours = session.get_one(factories.Partner, cast.partner_id)
        for _ in range(5):
            factories.account(session, ours)

    db.write(add)
    whole = [one["id"] for one in get("/api/v1/accounts").json()["data"]]
    assert (len(whole), whole == sorted(whole), cast.charlies_account in whole) == (7, True, False)
    paged, told = [], get("/api/v1/accounts", limit=3, search="customer")
    paged += [one["id"] for one in told.json()["data"]]
    while told.json()["next"]:
        address = told.headers["link"].removeprefix("<").removesuffix('>; rel="next"')
        assert "search=customer" in address
        told = get(address)
        paged += [one["id"] for one in told.json()["data"]]
    assert paged == whole
    assert "link" not in told.headers


def test_accounts_are_filtered_and_found(get: Any, cast: Cast) -> None:
    def change(session: Session) -> None:
        account = session.get_one(factories.Account, cast.other_account)
        account.status, account.subscribed_at, account.next_step_at = AccountStatus.ANNUAL, clock.now(), None
        account.billing_status, account.amount_minor = BillingStatus.OVERDUE, 2600

    db.write(change)
    for asked in ({"status": "annual"}, {"billing_status": "overdue"}, {"status": "annual", "search": "customer"}):
        told = get("/api/v1/accounts", **asked).json()["data"]
        assert [one["id"] for one in told] == [cast.other_account]
    assert told[0]["amount"] == {"minor": 2600, "currency": "USD"}
    assert [one["id"] for one in get("/api/v1/accounts", search=cast.email).json()["data"]] == [cast.account]
    assert get("/api/v1/accounts", backup_status="failed").json()["data"] == []


def test_who_may_not_view_billing_learns_nothing_of_it(client: Client, cast: Cast, rows: dict[str, int]) -> None:
    token = new_token(cast.partner_id, *(one for one in ALL if one != Permission.BILLING_VIEW))
    for path in ("/api/v1/accounts", f"/api/v1/accounts/{cast.account}"):
        told = client.get(path, headers=bearer(token)).json()
        account = told["data"][0] if "data" in told else told
        assert (account["billing_status"], account["amount"]) == (None, None)
    told = client.get("/api/v1/accounts?billing_status=due", headers=bearer(token))
    assert (told.status_code, told.json()["detail"]) == (403, Permission.BILLING_VIEW.refusal)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "\ud800".encode("utf-8", "surrogatepass")}, "cursor"),
        ({"cursor": "MS0y"}, "cursor"),
        ({"cursor": "x" * 200}, "cursor"),
        ({"status": "sleeping"}, "status"),
        ({"statsu": "annual"}, "query"),
        ({"search": "x" * 200}, "search"),
    ],
)
def test_what_cant_be_asked_is_named(get: Any, asked: dict[str, Any], field: str) -> None:
    told = get("/api/v1/accounts", **asked)
    assert (told.status_code, [one["field"] for one in told.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**63), str(10**40), "1.5", "%00"])
def test_a_number_that_is_none_breaks_nothing(get: Any, number: str) -> None:
    for path in ("accounts/{}", "accounts/{}/tasks", "tasks/{}", "bills/{}", "bills/{}/lines", "bills/{}.pdf"):
        assert get(f"/api/v1/{path.format(number)}").status_code in {404, 422}


def test_runs_are_told_by_account_task_and_instant(get: Any, cast: Cast) -> None:
    done = [
        db.write(record_run, cast.engine, report(cast, account=account, run=run, task=task, minutes=-5))
        for account, task, run in (
            (cast.account, "files", "r1"),
            (cast.account, "mail", "r2"),
            (cast.other_account, "files", "r3"),
        )
    ]
    told = get("/api/v1/runs").json()["data"]
    assert [one["run"] for one in told] == ["r3", "r2", "r1"]
    first = get("/api/v1/runs", limit=2).json()
    second = get("/api/v1/runs", limit=2, cursor=first["next"]).json()
    assert [one["run"] for one in first["data"] + second["data"]] == ["r3", "r2", "r1"]
    assert second["next"] is None
    assert [one["run"] for one in get("/api/v1/runs", account_id=cast.account).json()["data"]] == ["r2", "r1"]
    assert [one["run"] for one in get("/api/v1/runs", task_id=done[1].task_id).json()["data"]] == ["r2"]
    since = (done[2].received_at - timedelta(microseconds=1)).isoformat()
    assert [one["run"] for one in get("/api/v1/runs", since=since).json()["data"]] == ["r3"]
    assert get("/api/v1/runs", since="2026-11-24").status_code == 422


def test_entities_come_in_pages(get: Any, cast: Cast) -> None:
    listing = [{"key": f"box-{number}", "size_bytes": number} for number in range(5)]
    task = db.write(record_run, cast.engine, report(cast, entity_list=listing, entities=None)).task_id
    first = get(f"/api/v1/tasks/{task}/entities", limit=3).json()
    second = get(f"/api/v1/tasks/{task}/entities", limit=3, cursor=first["next"]).json()
    told = [(one["key"], one["size_bytes"], one["standing"]) for one in first["data"] + second["data"]]
    assert told == [(f"box-{number}", number, "active") for number in range(5)]


def test_a_task_that_a_tool_outside_reports_is_not_run_here(client: Client, cast: Cast, rows: dict[str, int]) -> None:
    address = f"/api/v1/tasks/{rows['task']}/run"
    headers = bearer(new_token(cast.partner_id, Permission.BACKUPS_RUN))
    assert client.post(address, headers=headers).status_code == 409
    others = [one for one in ALL if one != Permission.BACKUPS_RUN]
    assert client.post(address, headers=bearer(new_token(cast.partner_id, *others))).status_code == 403
    stranger = bearer(new_token(cast.charlie.partner_id, *ALL))
    told = [client.post(f"/api/v1/tasks/{task}/run", headers=stranger) for task in (rows["task"], 987_654)]
    assert {(one.status_code, one.content) for one in told} == {(404, told[0].content)}


def test_a_task_of_the_portals_own_is_run_once_at_a_time(client: Client, cast: Cast, rows: dict[str, int]) -> None:
    change = BackupTask.__table__.update().values(engine="built_in", source_kind="folder", source_sealed=b"x")
    db.write(lambda session: session.execute(change))
    headers = bearer(new_token(cast.partner_id, Permission.BACKUPS_RUN))
    told = [client.post(f"/api/v1/tasks/{rows['task']}/run", headers=headers) for _ in range(2)]
    assert [one.status_code for one in told] == [202, 409]
    job = db.read(lambda session: session.get_one(Job, told[0].json()["job"]))
    assert (job.kind, job.task_id, job.made_by) == ("backup", rows["task"], "Engine")


def test_bills_are_told_with_their_amounts_and_lines(get: Any, cast: Cast, rows: dict[str, int]) -> None:
    db.write(_bill, cast, 41198, due_on=clock.today() + timedelta(days=9))
    told = get("/api/v1/bills", limit=1).json()
    assert [one["number"] for one in told["data"]] == [41198]
    assert [one["number"] for one in get("/api/v1/bills", cursor=told["next"]).json()["data"]] == [41197]
    overdue = get("/api/v1/bills", status="overdue").json()["data"]
    assert [(one["number"], one["amount"], one["open"]) for one in overdue] == [
        (41197, {"minor": 2600, "currency": "USD"}, {"minor": 2600, "currency": "USD"})
    ]
    assert get("/api/v1/bills/41197").json() == overdue[0]
    lines = get("/api/v1/bills/41197/lines", limit=1).json()
    lines["data"] += get("/api/v1/bills/41197/lines", cursor=lines["next"]).json()["data"]
    assert [one["amount"]["minor"] for one in lines["data"]] == [1200, 800]


def test_a_bills_documents_are_files(get: Any, cast: Cast, rows: dict[str, int]) -> None:
    pdf, csv = get("/api/v1/bills/41197.pdf"), get("/api/v1/bills/41197.csv")
    assert (pdf.content[:5], pdf.headers["content-type"]) == (b"%PDF-", "application/pdf")
    assert (b"41197" in csv.content, csv.headers["content-type"]) == (True, "text/csv; charset=utf-8")
    assert "attachment" in pdf.headers["content-disposition"]


def test_users_and_the_audit_are_the_partners_own(get: Any, cast: Cast) -> None:
    emails = [one["email"] for one in get("/api/v1/users").json()["data"]]
    assert emails == [cast.bob.email, cast.alice.email]
    new_token(cast.partner_id, Permission.BACKUPS_RUN)
    rows = get("/api/v1/audit", limit=1).json()
    older = get("/api/v1/audit", cursor=rows["next"]).json()["data"]
    numbers = [one["number"] for one in rows["data"] + older]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 2
    assert get("/api/v1/audit", activity="Sign-in").json()["data"] == []
    assert len(get("/api/v1/audit", activity="API", since=clock.today().isoformat()).json()["data"]) == 2


def test_every_answer_says_what_is_left_in_this_minute(get: Any, client: Client, cast: Cast) -> None:
    left = [int(get(path).headers["ratelimit-remaining"]) for path in ("/api/v1/accounts", "/api/v1/accounts/0")]
    assert left[0] - left[1] == 1
    assert "ratelimit-limit" not in client.get("/api/v1/accounts").headers
