"""Who may upload, see, import and forget a file; and what may be sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from portal_app import db, upload_form
from portal_app.accounts import import_routes, import_service
from portal_app.auth import sessions
from portal_app.auth.actor import NOBODY, Actor, system
from portal_app.errors import Denied, NotFound
from portal_app.models import Account, AccountImport
from portal_app.shell import http
from tests import factories
from tests.accounts.import_files import put, rows, sheet, silent
from tests.cast import Cast, cookie_of

OWN = {"Sec-Fetch-Site": "same-origin"}
GOOD = sheet("Ann,ann@x.example,,")
NOT_THEIRS = ("nina", "carol", "bob", "dave", "olga", "ivan", "irene", "sam")
Send = Callable[..., httpx.Response]


@pytest.fixture
def send(cast: Cast) -> Send:
    """`send("POST", path, as_whom, …)` through everything that stands before the routes."""

    def sending(method: str, path: str, who: str = "", **given: Any) -> httpx.Response:
        headers = {"Cookie": cookie_of(cast.people[who])} if who else {}
        headers |= given.pop("headers", OWN)

        async def run() -> httpx.Response:
            app = http.outermost(Starlette(routes=import_routes.routes))
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
                return await client.request(method, path, headers=headers, **given)

        return asyncio.run(run())

    return sending


def post(send: Send, who: str, content: bytes = GOOD, name: str = "a.csv", **given: Any) -> str:
    """Upload a file with the form; where it leads."""
    answer = send("POST", "/accounts/import", who, files={"file": (name, content, "text/csv")}, **given)
    assert answer.status_code == 303
    return answer.headers["location"]


def test_an_upload_leads_to_its_check(send: Send, cast: Cast) -> None:
    where, _, job = post(send, "alice").partition("?job=")
    found = db.read(import_service.find, cast.actor("alice"), job)
    assert (where, found.file_name, found.done) == ("/accounts/import", "a.csv", False)
    assert len(job) == 43


@pytest.mark.parametrize("who", ["", *NOT_THEIRS])
def test_who_may_not_add_accounts_uploads_nothing(send: Send, who: str) -> None:
    assert post(send, who) == "/accounts/import"
    assert rows(AccountImport) == 0


@pytest.mark.parametrize("who", ["", *NOT_THEIRS])
def test_who_may_not_add_accounts_downloads_nothing(send: Send, cast: Cast, who: str) -> None:
    job = put(cast.actor("alice"), GOOD)
    for path in ("/accounts/import/template.csv", f"/accounts/import/faults.csv?job={job}"):
        answer = send("GET", path, who)
        assert (answer.status_code, answer.content) == (303, b"")


def test_a_session_that_ended_uploads_nothing(send: Send, cast: Cast) -> None:
    cookie = cookie_of(cast.alice)
    db.write(sessions.end, sessions.digest(cookie.partition("=")[2]))
    assert post(send, "", headers=OWN | {"Cookie": cookie}) == "/accounts/import"
    assert rows(AccountImport) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://portal.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_uploads_nothing(send: Send, headers: dict[str, str]) -> None:
    assert post(send, "alice", headers=headers) == "/accounts/import?problem=elsewhere"
    assert rows(AccountImport) == 0


def colleague(cast: Cast) -> Actor:
    """Another administrator of Alice's own partner."""
    with db.writing() as session:
        return factories.actor(factories.user(session, cast.partner_a))


@pytest.mark.parametrize("who", ["mallory", "colleague"])
def test_anothers_import_is_as_unknown_as_none(send: Send, cast: Cast, who: str) -> None:
    job = put(cast.actor("alice"), GOOD)
    actor = colleague(cast) if who == "colleague" else cast.actor(who)
    for asked in (job, "unknown", "", "x" * 10_000, "\x00"):
        with pytest.raises(NotFound, match="There is no such import"):
            db.read(import_service.find, actor, asked)
        with pytest.raises(NotFound, match="There is no such import"):
            import_service.check(actor, asked, silent)
        with pytest.raises(NotFound, match="There is no such import"):
            import_service.save(actor, asked, silent)
        db.write(import_service.cancel, actor, asked)
    assert db.read(import_service.form, actor).left is None
    assert db.read(import_service.find, cast.actor("alice"), job).job == job


def test_anothers_faults_are_as_unknown_as_none(send: Send, cast: Cast) -> None:
    job = put(cast.actor("alice"), sheet("Ann,bad,,"))
    theirs = send("GET", f"/accounts/import/faults.csv?job={job}", "mallory")
    unknown = send("GET", "/accounts/import/faults.csv?job=unknown", "mallory")
    assert send("GET", "/accounts/import/faults.csv?job=%00", "mallory").status_code == unknown.status_code
    # The number of the request is each one's own.
    assert theirs.headers.pop("x-request-id") != unknown.headers.pop("x-request-id")
    assert (theirs.status_code, theirs.headers) == (unknown.status_code, unknown.headers)
    assert b"Enter an address" in send("GET", f"/accounts/import/faults.csv?job={job}", "alice").content


@pytest.mark.parametrize("who", ["nobody", *NOT_THEIRS[:5]])
def test_every_way_into_the_service_asks_for_the_permission(cast: Cast, who: str) -> None:
    job = put(cast.actor("alice"), GOOD)
    actor = NOBODY if who == "nobody" else cast.actor(who)
    for call in (
        lambda: put(actor, GOOD),
        lambda: db.read(import_service.find, actor, job),
        lambda: db.read(import_service.form, actor),
        lambda: db.write(import_service.cancel, actor, job),
        lambda: import_service.check(actor, job, silent),
        lambda: import_service.save(actor, job, silent),
    ):
        with pytest.raises(Denied, match="You may not add accounts"):
            call()
    assert (rows(AccountImport), rows(Account)) == (1, 5)


def test_the_portal_itself_has_no_upload(cast: Cast) -> None:
    with pytest.raises(Denied):
        put(system(cast.partner_a.id), GOOD)


def test_the_template_and_the_faults_are_files_for_the_user_alone(send: Send, cast: Cast) -> None:
    job = put(cast.actor("alice"), sheet("=1+1,bad,,"))
    for path in ("/accounts/import/template.csv", f"/accounts/import/faults.csv?job={job}"):
        answer = send("GET", path, "alice")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
        assert answer.headers["cache-control"] == "no-store"
        assert answer.content.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(("more", "where"), [(0, "?job="), (1, "?problem=large"), (100_000, "?problem=large")])
def test_ten_megabytes_and_not_a_byte_more(send: Send, more: int, where: str) -> None:
    content = b"x" * (import_service.MOST_BYTES + more)
    assert post(send, "alice", content).startswith(f"/accounts/import{where}")
    assert rows(AccountImport) == (1 if where == "?job=" else 0)


def test_a_body_without_an_end_is_not_read_to_it(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_service, "MOST_BYTES", 250)
    monkeypatch.setattr(upload_form, "AROUND", 750)
    given: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while len(given) < 1_000:
            given.append(1)
            yield b"x" * 100

    headers = OWN | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = send("POST", "/accounts/import", "alice", headers=headers, content=endless())
    assert answer.headers["location"] == "/accounts/import?problem=large"
    assert 50 <= len(given) < 60


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"data": {"file": "text, not a file"}, "files": {"x": ("", b"")}}, "none"),
        ({"files": {"file": ("", b"")}}, "none"),
        ({"files": {"other": ("a.csv", GOOD)}}, "none"),
        ({"files": [("file", ("a.csv", GOOD)), ("file", ("b.csv", GOOD))]}, "unreadable"),
        ({"data": {"file": "a"}}, "unreadable"),
        ({"content": b"x"}, "unreadable"),
        ({"content": b"--b\r\n", "headers": OWN | {"Content-Type": "multipart/form-data; boundary=b"}}, "none"),
        ({"content": b"junk", "headers": OWN | {"Content-Type": "multipart/form-data; boundary=b"}}, "unreadable"),
        ({"content": b"junk", "headers": OWN | {"Content-Type": "multipart/form-data"}}, "unreadable"),
        ({}, "unreadable"),
    ],
)
def test_what_is_no_file_is_told_on_the_page(send: Send, given: dict[str, Any], problem: str) -> None:
    answer = send("POST", "/accounts/import", "alice", **given)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/accounts/import?problem={problem}")
    assert rows(AccountImport) == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\Users\\ann\\list.csv", "list.csv"),
        ("../../etc/passwd", "passwd"),
        ("evil\u202evsc.exe", "evilvsc.exe"),
        ("x" * 300 + ".csv", "x" * 120),
        ("\x07", "file"),
    ],
)
def test_a_files_name_is_only_a_name(cast: Cast, given: str, kept: str) -> None:
    job = put(cast.actor("alice"), GOOD, given)
    assert db.read(import_service.find, cast.actor("alice"), job).file_name == kept
    with db.reading() as session:
        assert session.exec(select(AccountImport.content)).one() == GOOD
