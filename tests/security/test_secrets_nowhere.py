"""A real server, driven with known secrets through what fails, tells none of them: in no log line and no trace."""

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
import simple_websocket
from sqlmodel import Session

from tests.cast import cookie_of
from tests.security.pipeline import HYDRATE, handlers, name_of
from tests.security.served import Raw, Served, serve
from tests.stores import Template

PASSWORD = "a password that nobody has 9133"
TOKEN = "ppt_" + secrets.token_urlsafe(32)
LINK = secrets.token_urlsafe(32)
BEARER = "bearer-of-another-kind-5150"
FORGED = "forged-session-4242"
FAULT = "unexpected error"
NO_TABLE = ("no such table", "does not exist")
SECRETS = (PASSWORD, TOKEN, TOKEN[4:], LINK, BEARER, FORGED)
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Cookie": f"portal_session={FORGED}; x={LINK}", "X-Api-Key": BEARER}
PATHS = (
    f"/reset?token={LINK}",
    f"/invitation?token={LINK}",
    f"/nothing/{LINK}?token={LINK}&ticket={LINK}",
    f"/accounts/import/faults.csv?job={LINK}",
    "/api/v1/backup-runs",
    "/readyz",
    "/",
)


@pytest.fixture(scope="module")
def broken(migrated: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A server whose database loses its tables after alice signed in; and her session's token."""
    with serve(migrated, tmp_path_factory.mktemp("broken"), PORTAL_LOG_LEVEL="DEBUG") as made:
        with made.here():
            cookie = cookie_of(made.cast.alice)
        _drive(made, cookie, 0)
        made.write(_lose_tables)
        _drive(made, cookie, 3)
        yield made, cookie.partition("=")[2]


def _lose_tables(session: Session) -> None:
    for table in ("login_session", "login_ticket", "api_token", "portal_user"):
        session.connection().exec_driver_sql(f"ALTER TABLE {table} RENAME TO gone_{table}")


def _drive(made: Served, cookie: str, faults: int) -> None:
    for path in PATHS:
        for method in ("GET", "POST", "TRACE", "PUT"):
            httpx.request(method, made.address + path, headers=HEADERS, timeout=20)
            httpx.request(method, made.address + path, headers=HEADERS | {"Cookie": cookie}, timeout=20)
    own = {"Sec-Fetch-Site": "same-origin"}
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"):
        body = f"ticket={LINK}&password={PASSWORD}"
        httpx.post(f"{made.address}/auth/session", content=body, headers=own | {"Content-Type": kind}, timeout=20)
    httpx.post(f"{made.address}/api/v1/backup-runs", json={"password": PASSWORD, "run": LINK}, headers=HEADERS)
    for sent in (cookie, f"portal_session={FORGED}", ""):
        with suppress(simple_websocket.ConnectionError, simple_websocket.ConnectionClosed):
            _talk(made, sent, faults)


def _talk(made: Served, cookie: str, faults: int) -> None:
    start = made.said().count(FAULT)
    with Raw(made, cookie, Authorization=f"Bearer {TOKEN}") as tab:
        form = {"form": {"email": "alice@people.example", "password": PASSWORD, "code": LINK}}
        tab.send(name_of("sign_in_state.submit"), form, path=f"/login?token={LINK}")
        for name in sorted(handlers()):
            tab.send(name, form, path=f"/reset?token={LINK}")
        tab.send(HYDRATE, path=f"/reset?token={LINK}")
        tab.send("unknown.event", {"password": PASSWORD, "token": TOKEN})
        tab.call("client_error", {"message": f"password={PASSWORD}", "stack": f"/reset?token={LINK}", "name": TOKEN})
        tab.call("event", {"name": HYDRATE, "payload": {"password": PASSWORD}, "token": LINK})
        tab.write('42/_event,["event",{"password":"' + PASSWORD)
        # What was sent has been dealt with: answered, or failed.
        tab.until(lambda: made.said().count(FAULT) - start > faults if faults else len(tab.seen) > 5)


def test_none_of_them_is_in_what_the_server_wrote(broken: tuple[Served, str]) -> None:
    made, session = broken
    said = made.said()
    for secret in (*SECRETS, session):
        assert secret not in said, said[max(0, said.find(secret) - 300) :][:500]


def test_the_faults_themselves_are_told(broken: tuple[Served, str]) -> None:
    """Or a server that writes nothing would pass."""
    made, _session = broken
    assert any(words in made.said() for words in NO_TABLE)
    assert "Traceback" in made.said()
    assert "GET /healthz" not in made.said()
    assert "GET /readyz" in made.said()


def test_nobody_is_told_of_them_either(broken: tuple[Served, str]) -> None:
    made, session = broken
    for path in PATHS:
        answer = httpx.get(made.address + path, headers={"Cookie": f"portal_session={session}"}, timeout=20)
        for word in ("Traceback", "sqlite", "psycopg", *NO_TABLE, "portal_app/"):
            assert word not in answer.text, path
        assert session not in json.dumps([answer.text, *answer.headers.items()])
