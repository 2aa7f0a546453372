"""A partner whose access to an account was taken away opens it by no road; everything else stays as it was."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.account_settings import removal
from portal_app.account_settings import service as account_settings
from portal_app.account_settings.rows import SettingsForm
from portal_app.accounts import service as accounts
from portal_app.accounts.query import AccountQuery
from portal_app.api.app import alone
from portal_app.auth import tokens
from portal_app.auth.actor import Actor, system
from portal_app.auth.permissions import Permission
from portal_app.backups import activity_reading, restore_reading, task_list, task_reading, tasks
from portal_app.backups import repository as backups
from portal_app.backups import service as intake
from portal_app.backups.activity_query import ActivityQuery
from portal_app.backups.engine import recovery, runs
from portal_app.backups.intake import RunReport
from portal_app.backups.task_query import TaskQuery
from portal_app.billing import account_bills
from portal_app.customer_users import service as customer_users
from portal_app.customer_users.query import CustomerUserQuery
from portal_app.customer_users.rows import UserForm
from portal_app.dashboard import service as dashboard
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.files import service as files
from portal_app.jobs import queue
from portal_app.models import Account, BackupTask, Job, WebhookDelivery
from portal_app.operator import access
from portal_app.operator.query import AccountsQuery
from portal_app.reports import usage
from portal_app.webhooks import service as webhooks
from portal_app.webhooks.events import Event
from tests.api.conftest import Client, bearer, new_token
from tests.cast import Cast, cookie_of
from tests.operator.conftest import audited, now, written
from tests.security.pipeline import Pipeline, name_of, play


def take(olga: Actor, account: Account, code: str = "ALPHA001") -> str:
    return db.write(access.take, olga, code, account.id, "The customer left")


@pytest.fixture
def account(cast: Cast) -> Account:
    """The one that Bob sees and that Dave is a user of."""
    return cast.bobs_account


def task_of(account: Account) -> int:
    return db.read(lambda session: session.exec(select(BackupTask.id).where(BackupTask.account_id == account.id)).one())


def file_of(account: Account) -> int:
    place = files.new_place()
    place.write_bytes(b"x")
    about = {"name": "a.zip", "kind": "export", "permission": Permission.DATA_EXPORT}
    return db.write(files.keep, place, partner_id=account.partner_id, account_id=account.id, **about).id


def report(account: Account) -> RunReport:
    at = "2026-11-20T02:00:00Z"
    return RunReport(account=account.id, task="files", run="r-2", started=at, finished=at, outcome="successful")


def roads(account: Account) -> dict[str, Callable[[Session, Actor], Any]]:
    """Every way into an account. Each raises NotFound or gives nothing for who may not."""
    number, task = int(account.id or 0), task_of(account)
    file, form = file_of(account), SettingsForm(account.name, account.email, str(account.data_center_id))
    return {
        "open": lambda s, a: accounts.open_account(s, a, number),
        "details": lambda s, a: accounts.account_details(s, a, number),
        "search": lambda s, a: accounts.find(s, a, account.name),
        "delete trial": lambda s, a: accounts.delete_trial(s, a, number, account.name),
        "task list": lambda s, a: task_list.page(s, a, TaskQuery(account_id=number)).rows,
        "task": lambda s, a: tasks.get(s, a, number, task),
        "source": lambda s, a: tasks.source_of(s, a, number, task),
        "folders": lambda s, a: tasks.may_read_folders(s, a, number),
        "delete task": lambda s, a: tasks.delete(s, a, number, task, "Files"),
        "runs": lambda s, a: task_reading.runs(s, a, number, task, None),
        "all runs": lambda s, a: backups.runs_of(s, a, number),
        "tasks of": lambda s, a: backups.tasks_of(s, a, number),
        "activity": lambda s, a: activity_reading.page(s, a, ActivityQuery(account_id=number)),
        "back up": lambda s, a: runs.start(s, a, task),
        "restore": lambda s, a: recovery.start_restore(s, a, task, 1, []),
        "export": lambda s, a: recovery.start_export(s, a, task, 1, []),
        "recoveries": lambda s, a: recovery.listed(s, a, number),
        "kept": lambda s, a: restore_reading.tasks(s, a, number),
        "report a run": lambda s, a: intake.record_run(s, a, report(account)),
        "file": lambda s, a: files.find(s, a, file),
        "settings": lambda s, a: account_settings.show(s, a, number),
        "save settings": lambda s, a: account_settings.save(s, a, number, form, form),
        "remove": lambda s, a: removal.remove(s, a, number, account.name, approved=True),
        "users": lambda s, a: customer_users.list_page(s, a, CustomerUserQuery(account_id=number)),
        "add user": lambda _, a: customer_users.add(a, number, UserForm("New", "new@people.example", ())),
        "usage report": lambda s, a: usage.ask(s, a, [number]),
    }


ROADS = 26


def outcome(do: Callable[[Session, Actor], Any], actor: Actor) -> Any:
    try:
        return db.write(do, actor) or None
    except (NotFound, Denied):
        return None
    except Conflict as refusal:
        return None if "None of the accounts" in refusal.sentence else refusal


@pytest.mark.parametrize("who", ["alice", "bob", "token"])
def test_by_no_road(cast: Cast, olga: Actor, account: Account, who: str) -> None:
    actor = cast.actor(who) if who != "token" else db.read(tokens.find_token, new_token(cast.partner_a.id, *Permission))
    ways = roads(account)
    assert len(ways) == ROADS
    take(olga, account)
    assert {name: found for name, do in ways.items() if (found := outcome(do, actor)) is not None} == {}
    assert now(account) is not None


def test_the_roads_lead_somewhere_before(cast: Cast, account: Account) -> None:
    """Or the test above would prove nothing."""
    reads = ("open", "details", "search", "task", "runs", "all runs", "tasks of", "task list", "activity", "file")
    ways, alice = roads(account), cast.actor("alice")
    assert [name for name in (*reads, "settings", "users", "usage report") if outcome(ways[name], alice) is None] == []


def test_the_customers_own_users_go_on(cast: Cast, olga: Actor, account: Account) -> None:
    take(olga, account)
    dave, ways = cast.actor("dave"), roads(account)
    assert [name for name in ("open", "task", "runs", "activity") if outcome(ways[name], dave) is None] == []


def test_the_api_and_the_facade_open_it_no_more(cast: Cast, olga: Actor, account: Account) -> None:
    client, task = Client(alone), task_of(account)
    headers = bearer(new_token(cast.partner_a.id, *Permission))
    paths = (f"accounts/{account.id}", f"accounts/{account.id}/tasks", f"tasks/{task}/entities")
    assert {client.get(f"/api/v1/{path}", headers=headers).status_code for path in paths} == {200}
    take(olga, account)
    assert {client.get(f"/api/v1/{path}", headers=headers).status_code for path in paths} == {404}
    listed = client.get("/api/v1/accounts", headers=headers).json()["data"]
    assert account.id in [one["id"] for one in listed]
    ran = client.get("/api/v1/runs", headers=headers).json()["data"]
    assert account.id not in [one["account_id"] for one in ran]
    assert len(ran) == 2


def test_its_row_its_figures_and_its_bills_stay(cast: Cast, olga: Actor, account: Account) -> None:
    alice = cast.actor("alice")
    before = db.read(dashboard.table, alice, AccountQuery())
    charts = db.read(dashboard.charts, alice)
    take(olga, account)
    after = db.read(dashboard.table, alice, AccountQuery())
    assert (after.count, after.widgets) == (before.count, before.widgets)
    assert [line["closed"] for line in after.lines] == [line["id"] == account.id for line in after.lines]
    assert db.read(dashboard.charts, alice) == charts
    assert db.read(dashboard.charts, cast.actor("bob"))
    assert db.read(account_bills.account_page, alice, account.id).name == account.name


def test_an_open_tab_is_emptied_at_its_next_event(cast: Cast, olga: Actor, account: Account) -> None:
    async def scene(made: Pipeline) -> tuple[Any, Any]:
        tab = made.tab(cookie_of(cast.alice), path=f"/accounts/{account.id}")
        first = await tab.send(name_of("account_state.load"))
        take(olga, account)
        return first, await tab.send(name_of("account_state.load"))

    first, second = play(scene)
    assert first.var("title") == account.name
    assert second.var("missing") is True
    assert account.email not in str(second.deltas)


def test_what_the_partner_began_is_stopped_and_the_customers_goes_on(cast: Cast, olga: Actor, account: Account) -> None:
    def begin(session: Session, who: str, kind: str) -> int | None:
        about = {"partner_id": cast.partner_a.id, "account_id": account.id, "task_id": task_of(account)}
        return queue.add(session, cast.actor(who), kind, **about)

    theirs, own = db.write(begin, "alice", "restore"), db.write(begin, "dave", "export")
    backup = db.write(begin, "alice", "backup")
    take(olga, account)
    states = {job: db.read(lambda s, job=job: s.get_one(Job, job).state) for job in (theirs, own, backup)}
    assert states == {theirs: "canceled", own: "waiting", backup: "waiting"}


def test_webhooks_hear_nothing_from_inside(cast: Cast, olga: Actor, account: Account, monkeypatch: Any) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_WEBHOOKS", "1")
    alice = cast.actor("alice")
    db.write(webhooks.add, alice, "https://hooks.example/x", [Event.BACKUP_SUCCEEDED, Event.ACCOUNT_SUBSCRIBED])
    take(olga, account)
    db.write(intake.record_run, system(cast.partner_a.id), report(account))
    assert db.read(lambda s: s.exec(select(WebhookDelivery)).all()) == []
    db.write(accounts.subscribe, alice, [account.id], "monthly")
    assert [one.event for one in db.read(lambda s: s.exec(select(WebhookDelivery)).all())] == ["account.subscribed"]


def test_it_is_told_of_on_both_sides_and_given_back(cast: Cast, olga: Actor, account: Account) -> None:
    assert take(olga, account) == account.name
    assert audited("taken away: The customer left") == {None, cast.partner_a.id}
    assert written() == {cast.alice.email, account.email, cast.dave.email}
    with pytest.raises(Conflict):
        take(olga, account)
    db.write(access.give_back, olga, "alpha001", account.id, "A mistake")
    assert audited("given back: A mistake") == {None, cast.partner_a.id}
    assert db.write(accounts.open_account, cast.actor("bob"), account.id).name == account.name
    with pytest.raises(Conflict):
        db.write(access.give_back, olga, "ALPHA001", account.id, "Again")


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "nina", "dave", "mallory"])
def test_only_operators_do_it(cast: Cast, account: Account, who: str) -> None:
    actor = cast.actor(who)
    for act in (access.take, access.give_back):
        with pytest.raises(Denied):
            db.write(act, actor, "ALPHA001", account.id, "Why not")
    with pytest.raises(Denied):
        db.read(access.list_page, actor, AccountsQuery(code="ALPHA001"))


def test_another_partners_account_and_no_reason(cast: Cast, olga: Actor, account: Account) -> None:
    with pytest.raises(NotFound):
        take(olga, account, code="BETA0001")
    with pytest.raises(NotFound):
        take(olga, account, code="NOBODY")
    for reason in (" ", "x" * 301, "a\x07b"):
        with pytest.raises(Invalid) as refused:
            db.write(access.take, olga, "ALPHA001", account.id, reason)
        assert list(refused.value.fields) == ["reason"]
    assert now(account).partner_access


def test_the_list_says_who_may_open_each(office: Cast) -> None:
    olga, account = office.actor("olga"), office.bobs_account
    take(olga, account)
    found = db.read(access.list_page, olga, AccountsQuery(code="ALPHA001", access="taken"))
    assert [(row.id, row.partner_access, row.own_users) for row in found.rows] == [(account.id, False, 1)]
    assert (found.matching, found.total) == (1, 3)
    assert db.read(access.list_page, olga, AccountsQuery(code="ALPHA001", search="elm")).matching == 1
