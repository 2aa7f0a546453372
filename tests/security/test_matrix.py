"""Every handler and route x everybody who may not use it: refused, nothing done, nothing told.

`matrix.py` says who may; `test_handlers.py` has the handlers one by one.
"""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import httpx
import pytest
from reflex_base.registry import RegistrationContext
from sqlalchemy import text
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth import guard, limiter, sessions, tokens
from portal_app.auth.actor import NOBODY, Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied
from portal_app.models import AccountImport, ApiToken, AuditEvent, TrustedAddress, User
from tests import factories
from tests.architecture.source import ROOT
from tests.architecture.test_policies import FRAMEWORK
from tests.cast import Cast, cookie_of
from tests.factories import PASSWORD
from tests.security import matrix
from tests.security.pipeline import Pipeline, Tab, handlers, name_of, play
from tests.security.served import Served
from tests.tables import Contents, contents, tables

SAMPLES: dict[Any, Any] = {str: "x", int: 1, float: 1.0, bool: True, dict: {}, list: []}
# What being refused may write, and what no test can hold still.
NOTED = frozenset({"audit_event", "audit_head", "audit_chain"})


def test_every_handler_is_accounted_for() -> None:
    assert matrix.unknown_handlers(handlers()) == []
    open_now = {name.rpartition("____")[2] for name in handlers() if str(guard.policy_of(name)) == "public"}
    assert open_now <= matrix.OPEN_HANDLERS.keys()


def test_a_handler_of_no_known_kind_is_found() -> None:
    load = name_of("dashboard_state.load")

    class Elsewhere:
        __module__ = "portal_app.somewhere.state"

    assert matrix.unknown_handlers({load: Elsewhere}) == [f"{load}: dashboard:view"]
    assert matrix.unknown_handlers({name_of("operator_state.load"): handlers()[load]})
    assert matrix.unknown_handlers({"nothing": handlers()[load]}) == ["nothing: None"]


COMPOSE = """
import json
from portal_app import portal_app
from tests.architecture.test_policies import _routes
found = {path: str(getattr(endpoint, "__policy__", "")) for path, endpoint in _routes(portal_app.app())}
print(json.dumps(found))
"""


def test_every_route_is_accounted_for() -> None:
    """Of the whole application, composed in a process of its own."""
    skip = {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_ENV_MODE": "prod"}
    done = subprocess.run(
        [sys.executable, "-c", COMPOSE], cwd=ROOT, env=os.environ | skip, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    said = {path: policy.partition(":")[0] if policy.startswith("public") else policy for path, policy in found.items()}
    ours = {path: p.partition(":")[0] if p.startswith("public") else p for path, p in matrix.ROUTES.items()}
    assert said.items() <= (ours | dict.fromkeys(FRAMEWORK, "")).items()


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    limiter.reset_limits()
    yield
    limiter.reset_limits()


def _sample(function: Any) -> dict[str, Any]:
    hints = get_type_hints(function)
    return {name: SAMPLES[hints[name]] for name in inspect.signature(function).parameters if name != "self"}


def _refuses(name: str, actor: Actor) -> bool:
    policy = guard.policy_of(name)
    assert policy is not None, name
    try:
        policy.check(actor)
    except Denied:
        return True
    return False


def _for_people() -> list[str]:
    return [name for name in handlers() if _refuses(name, NOBODY)]


def _rows() -> Contents:
    """All rows but those that being refused may write."""
    return {table: rows for table, rows in contents().items() if table not in NOTED}


async def _sent_to_sign_in(tab: Tab, name: str) -> None:
    answer = await tab.send(name, _sample(handlers()[name]))
    assert [target.partition("?")[0] for target in answer.redirects] == ["/login"], name
    assert not answer.errors, name


def test_between_password_and_second_step_nothing_is_open(cast: Cast) -> None:
    """The right password was typed in this very tab; what is asked for next has not been given."""
    db.write(_must_change, cast.alice.id)

    async def scene(made: Pipeline) -> None:
        tab = made.tab(path="/login")
        await tab.hydrate()
        form = {"email": cast.alice.email, "password": PASSWORD}
        answer = await tab.send(name_of("sign_in_state.submit"), {"form": form})
        assert not answer.var("ticket")
        before = _rows()
        assert before["pending_sign_in"], "the password was right"
        for name in _for_people():
            await _sent_to_sign_in(tab, name)
        assert _rows() == before

    play(scene)


def _must_change(session: Session, user_id: int) -> None:
    session.get_one(User, user_id).must_change_password = True


def test_an_open_tab_whose_session_ended_is_emptied_and_does_nothing(cast: Cast) -> None:
    cookie = cookie_of(cast.alice)

    async def scene(made: Pipeline) -> None:
        tabs = {name: made.tab(cookie) for name in _for_people()}
        for tab in tabs.values():
            await tab.hydrate()
            await tab.send(name_of("shell_state.introduce"))
            assert cast.alice.email in str(await tab.values())
        db.write(sessions.end_all, cast.alice.id)
        before = _rows()
        for name, tab in tabs.items():
            await _sent_to_sign_in(tab, name)
            assert cast.alice.email not in str(await tab.values()), name
        assert _rows() == before

    play(scene)


@pytest.mark.parametrize("who", ["mallory", "bob", "dave", "olga"])
def test_a_foreign_rows_id_does_nothing_in_any_handler(cast: Cast, who: str) -> None:
    """Each handler that they may call, with the ids of rows that are not theirs, in the order a page would: what opens
    a dialog for a row first, what saves or deletes afterwards."""
    db.write(_furnish, cast)
    theirs = _held_by_a(cast, who)
    mine = [name for name in handlers() if not _refuses(name, cast.actor(who))]
    openers = [name for name in mine if int in _kinds(name)]
    others = [name for name in mine if int not in _kinds(name)]
    words = _words_of_a(cast, who)

    async def scene(made: Pipeline) -> None:
        for number in sorted({row["id"] for rows in theirs.values() for row in rows if "id" in row}):
            tab = made.tab(cookie_of(cast.people[who]), path=f"/accounts/{number}?user={number}&id={number}")
            await tab.hydrate()
            for name in [*openers, *others]:
                answer = await tab.send(name, _foreign(handlers()[name], number))
                told = f"{answer.deltas}{answer.events}"
                assert not [word for word in words if word in told], name

    play(scene)
    assert _held_by_a(cast, who) == theirs


def _kinds(name: str) -> set[Any]:
    return set(get_type_hints(handlers()[name]).values())


def _foreign(function: Any, number: int) -> dict[str, Any]:
    form = {"id": number, "name": "Taken over", "email": "taken@over.example", "account_id": number}
    given = SAMPLES | {int: number, str: str(number), dict: form, list: [number]}
    hints = get_type_hints(function)
    return {name: given[hints[name]] for name in inspect.signature(function).parameters if name != "self"}


def _furnish(session: Session, cast: Cast) -> None:
    """Partner A has a row of each kind; partner B's own rows get other ids."""
    alice = cast.actor("alice")
    for number in range(3):
        tokens.create_token(session, alice, cast.partner_a.id or 0, f"A's key {number}", [Permission.BACKUPS_RUN])
        factories.save(
            session,
            TrustedAddress(
                partner_id=cast.partner_a.id or 0,
                description=f"A's office {number}",
                addresses="198.51.100.7",
                created_at=cast.partner_a.created_at,
            ),
        )
    assert session.exec(select(ApiToken)).all()
    assert session.exec(select(AccountImport)).all() == []


def _words_of_a(cast: Cast, who: str) -> list[str]:
    """What nobody but A's people may ever read; Bob may read of his one account, Dave of his own."""
    keys = [f"A's {kind} {number}" for kind in ("key", "office") for number in range(3)]
    names = [account.name for account in cast.accounts_a if account.id != cast.bobs_account.id or who == "mallory"]
    people = ["nina@people.example"] if who != "bob" else []
    return [*keys, *names, *people]


def _held_by_a(cast: Cast, who: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of partner A by table; for Bob and Dave without those that are theirs to change."""
    accounts = {account.id for account in cast.accounts_a} - (
        {cast.bobs_account.id} if who in ("bob", "dave") else set()
    )
    users = {u.id for u in cast.people.values() if u.partner_id == cast.partner_a.id} - {cast.people[who].id}
    found: dict[str, list[dict[str, Any]]] = {}
    with db.reading() as session:
        for table in tables(session.connection()):
            if table not in NOTED | {"account_total", "partner_change"} and "search" not in table:
                rows = session.connection().execute(text(f"SELECT * FROM {table}")).mappings()  # noqa: S608
                found[table] = [dict(row) for row in rows if _is_of_a(table, row, cast, accounts, users)]
    return found


def _is_of_a(table: str, row: Mapping[Any, Any], cast: Cast, accounts: set[Any], users: set[Any]) -> bool:
    if table in ("account", "portal_user"):
        return row["id"] in (accounts if table == "account" else users)
    for column, ids in (("account_id", accounts), ("user_id", users), ("partner_id", {cast.partner_a.id})):
        if column in row:
            return row[column] in ids
    return table == "partner" and row["id"] == cast.partner_a.id


@pytest.mark.parametrize("who", ["nobody", "ivan", "irene", "sam", "nina", "carol", "dave", "olga"])
def test_each_route_is_closed_to_who_may_not_use_it(served: Served, who: str) -> None:
    """On the running server; the refusals of people who are signed in are audited."""
    # Their own routes are open to operators; the areas' tests say what they get there.
    own_routes = {matrix.OPERATORS, matrix.PARTNERS} if who == "olga" else set()
    closed = [
        path for path, policy in matrix.ROUTES.items() if policy.split(":")[0] != "public" and policy not in own_routes
    ]
    with served.here():
        cookie = cookie_of(served.cast.people[who]) if who != "nobody" else ""
    with served.here():
        before, audited = _rows(), _refusals()
    own = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Authorization": "Bearer ppt_x"}
    for path in closed:
        for method in ("GET", "POST"):
            answer = httpx.request(method, served.address + path, headers=own, json={})
            # 200: by GET the upload's address is a built page, the same for everyone.
            page = (method, path) == ("GET", "/accounts/import")
            assert answer.status_code in (303, 401, 403, 404, 405, 200 if page else 0), (method, path)
            assert "content-disposition" not in answer.headers, path
            assert "Alpha" not in answer.text, path
    with served.here():
        assert _rows() == before
        told = [words for words in _refusals()[len(audited) :] if "(GET /accounts/import/" in words]
    assert len(told) == (2 if who in ("nina", "carol", "dave", "olga") else 0)


def _refusals() -> list[str]:
    with db.reading() as session:
        refused = select(AuditEvent.description).where(~col(AuditEvent.completed)).order_by(col(AuditEvent.id))
        return list(session.exec(refused))


def test_the_matrix_is_as_large_as_it_looks() -> None:
    assert len(handlers()) > 50
    assert len(RegistrationContext.get().event_handlers) > len(handlers())
