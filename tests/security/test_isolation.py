"""A partner never sees another partner's row; a limited user never one that isn't on their list."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.accounts import service as accounts
from portal_app.accounts.query import AccountQuery
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import repository as backups
from portal_app.backups import service as runs
from portal_app.dashboard import service as dashboard
from portal_app.errors import Denied, NotFound, PortalError
from portal_app.models import Account, AccountStatus, AuditEvent, BackupStatus, BillingStatus
from portal_app.paging import PAGE_SIZES
from tests.backups.conftest import engine_of
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Pipeline, name_of, play
from tests.tables import contents

EVERYTHING = AccountQuery(size=PAGE_SIZES[-1])
NONE_SUCH = 999_999_999


def _mine(cast: Cast, who: str) -> list[Account]:
    return {
        "alice": list(cast.accounts_a),
        "bob": [cast.bobs_account],
        "mallory": list(cast.accounts_b),
        "dave": [cast.bobs_account],
        "olga": [],
    }[who]


def _foreign(cast: Cast, who: str) -> list[Account]:
    mine = {account.id for account in _mine(cast, who)}
    return [account for account in (*cast.accounts_a, *cast.accounts_b) if account.id not in mine]


def _as_admin(cast: Cast, who: str) -> Actor:
    """The person with every permission: only the scope may then keep them off."""
    return replace(cast.actor(who), permissions=frozenset(Permission))


@pytest.mark.parametrize("who", ["alice", "bob", "mallory", "dave", "olga"])
def test_list_count_totals_search_and_ids_are_of_ones_own_accounts(cast: Cast, who: str) -> None:
    actor, mine = _as_admin(cast, who), _mine(cast, who)
    page = db.read(accounts.list_page, actor, EVERYTHING)
    assert {row.id for row in page.rows} == {account.id for account in mine}
    assert (page.matching, page.total) == (len(mine), len(mine))
    assert sum(total.accounts for total in page.totals) == len(mine)
    assert sum(total.amount_minor for total in page.totals) == sum(account.amount_minor for account in mine)
    assert sum(total.size_bytes for total in page.totals) == sum(account.size_bytes for account in mine)
    for words in ("Alpha", "Beta", "customers.example", "a", "@", "%", "_", '"', "*", "name:a OR 1"):
        assert {row.id for row in db.read(accounts.find, actor, words)} <= {account.id for account in mine}
    assert sorted(db.read(accounts.ids_matching, actor, EVERYTHING)) == sorted(account.id for account in mine)


@pytest.mark.parametrize("who", ["alice", "bob", "mallory", "dave", "olga"])
def test_charts_count_only_ones_own_accounts(cast: Cast, who: str) -> None:
    actor, since = _as_admin(cast, who), clock.today() - timedelta(days=3)
    # The figures kept for the whole partner are made by reports, not by rows that a test adds.
    for account in (*cast.accounts_a, *cast.accounts_b):
        db.write(runs.record_run, engine_of(account.partner_id), _report(account))
    counted = db.read(backups.backups_per_day, actor, since)
    stored = db.read(backups.stored_per_day, actor, since)
    mine = _mine(cast, who)
    fresh = 1 if actor.all_accounts and actor.partner_id else 2
    assert sum(day.successful for day in counted) == fresh * len(mine)
    assert stored[-1].stored_bytes == sum(account.size_bytes for account in mine)


def _report(account: Account) -> Any:
    now = clock.now()
    values = {"account": account.id, "task": "files", "run": "2", "outcome": "successful"}
    sizes = {"size_bytes": account.size_bytes, "added_bytes": 1, "entities": 1}
    return runs.RunReport.read(values | sizes | {"started": now, "finished": now})


@pytest.mark.parametrize("who", ["alice", "bob", "mallory", "dave", "olga"])
def test_a_foreign_id_answers_exactly_as_an_unknown_one(cast: Cast, who: str) -> None:
    actor, before = _as_admin(cast, who), contents()
    calls = {
        "open": lambda i: db.write(accounts.open_account, actor, i),
        "details": lambda i: db.read(accounts.account_details, actor, i),
        "delete": lambda i: db.write(accounts.delete_trial, actor, i, "Beta Oak"),
        "subscribe": lambda i: db.write(accounts.subscribe, actor, [i], "monthly"),
        "tasks": lambda i: db.read(backups.tasks_of, actor, i),
        "runs": lambda i: db.read(backups.runs_of, actor, i),
        "report": lambda i: db.write(runs.record_run, actor, runs.RunReport.read(_values(i))),
        "report by email": lambda i: db.write(runs.record_run, actor, runs.RunReport.read(_values(_email(cast, i)))),
    }
    for name, call in calls.items():
        unknown = _outcome(call, NONE_SUCH)
        for account in _foreign(cast, who):
            assert _outcome(call, account.id) == unknown, name
    assert contents() == before


def _values(account: int | str) -> dict[str, Any]:
    now = clock.now()
    return {
        "account": account,
        "task": "t",
        "run": "r",
        "outcome": "failed",
        "started": now,
        "finished": now,
        "size_bytes": 0,
        "added_bytes": 0,
        "entities": 0,
    }


def _email(cast: Cast, account_id: int) -> str:
    found = [a.email for a in (*cast.accounts_a, *cast.accounts_b) if a.id == account_id]
    return found[0] if found else "nobody@customers.example"


def _outcome(call: Any, account_id: int) -> tuple[str, str]:
    try:
        return "gave", repr(call(account_id))
    except PortalError as refusal:
        return type(refusal).__name__, refusal.sentence


def test_a_mixed_list_of_ids_changes_only_ones_own(cast: Cast) -> None:
    everybodys = [a.id for a in (*cast.accounts_b, *cast.accounts_a)] * 2 + [NONE_SUCH, -1, 0]
    done = db.write(accounts.subscribe, cast.actor("alice"), everybodys, "annual")
    assert (done.changed, done.left) == (1, 2)
    with db.reading() as session:
        assert session.get(Account, cast.accounts_b[0].id).status == AccountStatus.TRIAL_STARTED
        audit = session.scalars(select(AuditEvent)).all()
    assert {row.partner_id for row in audit} == {cast.partner_a.id}


@pytest.mark.parametrize("who", ["carol", "nina", "dave", "olga"])
def test_without_the_permission_the_service_itself_refuses(cast: Cast, who: str) -> None:
    actor, own = cast.actor(who), cast.bobs_account.id
    for call in (
        lambda: db.read(accounts.list_page, actor, EVERYTHING),
        lambda: db.read(accounts.find, actor, "Alpha"),
        lambda: db.read(accounts.ids_matching, actor, EVERYTHING),
        lambda: db.read(dashboard.charts, actor),
        lambda: db.write(accounts.subscribe, actor, [own], "monthly"),
        lambda: db.write(accounts.delete_trial, actor, own, cast.bobs_account.name),
    ):
        with pytest.raises(Denied):
            call()


def test_a_customer_opens_its_own_account_alone_and_the_partners_audit_tells(cast: Cast) -> None:
    dave = cast.actor("dave")
    assert db.write(accounts.open_account, dave, cast.bobs_account.id).name == "Alpha Ash"
    with pytest.raises(NotFound):
        db.write(accounts.open_account, dave, cast.accounts_a[1].id)
    with db.reading() as session:
        (told,) = session.scalars(select(AuditEvent)).all()
    assert (told.partner_id, told.account_id, told.performed_by) == (
        cast.partner_a.id,
        cast.bobs_account.id,
        cast.people["dave"].email,
    )


def test_events_with_another_partners_ids_do_nothing(cast: Cast) -> None:
    target, before = cast.accounts_b[0], contents()

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice))
        await tab.send(name_of("dashboard_state.load"))
        for ending, payload in (
            ("dashboard_state.tick", {"account_id": target.id, "ticked": True}),
            ("dashboard_state.ask_subscribe", {"plan": "monthly"}),
            ("dashboard_state.subscribe", {}),
            ("dashboard_state.ask_delete", {"account_id": target.id}),
            ("dashboard_state.type_name", {"text": target.name}),
            ("dashboard_state.delete_trial", {}),
        ):
            assert "Beta" not in str((await tab.send(name_of(ending), payload)).deltas).replace(target.name, "", 1)
        for number in (target.id, NONE_SUCH):
            place = made.tab(cookie_of(cast.alice), path=f"/accounts/{number}")
            answer = await place.send(name_of("account_state.load"))
            assert answer.var("missing") is True
            assert "Beta" not in str(answer.deltas)

    play(scene)
    after = contents()
    assert {table for table in after if after[table] != before[table]} <= {
        "login_session",
        "login_ticket",
        "portal_user",
    }


QUERIES = st.builds(
    AccountQuery,
    search=st.text(max_size=8) | st.sampled_from(["beta", "BETA oak", "alpha", 'be"ta', "b*", "NEAR(a b)", "\x00"]),
    status=st.sampled_from(["", *AccountStatus]),
    backup=st.sampled_from(["", *BackupStatus]),
    billing=st.sampled_from(["", *BillingStatus]),
    sort=st.sampled_from(AccountQuery.SORTS),
    descending=st.booleans(),
    page=st.integers(1, 3),
    size=st.sampled_from(PAGE_SIZES),
)
SAME_DATABASE = settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SAME_DATABASE
@given(query=QUERIES, who=st.sampled_from(["alice", "bob", "mallory", "dave"]))
def test_no_query_finds_a_strangers_account(cast: Cast, query: AccountQuery, who: str) -> None:
    actor = _as_admin(cast, who)
    mine = {account.id for account in _mine(cast, who)}
    page = db.read(accounts.list_page, actor, query)
    assert {row.id for row in page.rows} <= mine
    assert len(page.rows) <= page.matching <= page.total == len(mine)
    assert set(db.read(accounts.ids_matching, actor, query)) <= mine


@pytest.mark.parametrize("sort", AccountQuery.SORTS)
@pytest.mark.parametrize("billing", ["", *BillingStatus])
def test_who_may_not_see_billing_learns_nothing_of_it_from_a_query(cast: Cast, sort: str, billing: str) -> None:
    """What is owed changes neither which lines come nor their order, nor how many."""
    actor = replace(cast.actor("alice"), permissions=frozenset({Permission.DASHBOARD_VIEW}))
    for descending in (False, True):
        harmless = AccountQuery(sort="name" if sort in ("billing", "amount") else sort, descending=descending)
        shown = _shown(actor, replace(harmless, sort=sort, billing=billing))
        assert shown == _shown(actor, harmless)
        assert "Overdue" not in shown
        assert "300.00" not in shown


def _shown(actor: Actor, query: AccountQuery) -> str:
    return repr(asdict(db.read(dashboard.table, actor, query)))


@pytest.mark.parametrize("query", [AccountQuery(billing="overdue"), AccountQuery(sort="amount", descending=True)])
def test_billing_filter_and_order_work_for_who_may_see_it(cast: Cast, query: AccountQuery) -> None:
    """Or the test above would pass for a filter that never filters."""
    names = [row.name for row in db.read(accounts.list_page, cast.actor("alice"), query).rows]
    assert names != [row.name for row in db.read(accounts.list_page, cast.actor("alice"), AccountQuery()).rows] or (
        query.sort == "amount" and names[0] == "Alpha Ash"
    )


def test_the_rows_of_the_page_hold_no_amount_for_who_may_not_see_it(cast: Cast) -> None:
    async def scene(made: Pipeline) -> str:
        return str((await made.tab(cookie_of(cast.bob)).send(name_of("dashboard_state.load"))).deltas)

    heard = play(scene)
    assert "Alpha Ash" in heard
    assert "Overdue" not in heard
    assert "300.00" not in heard
    assert "Birch" not in heard


def test_the_audit_of_an_act_is_its_partners(cast: Cast) -> None:
    db.write(accounts.open_account, cast.actor("mallory"), cast.accounts_b[0].id)
    with db.reading() as session:
        assert _partners_of_audit(session) == {cast.partner_b.id}


def _partners_of_audit(session: Session) -> set[int | None]:
    return {row.partner_id for row in session.scalars(select(AuditEvent))}
