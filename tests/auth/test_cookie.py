"""The two requests that set and clear the cookie."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from portal_app import db
from portal_app.auth import routes, service, sessions
from portal_app.settings import reset_settings
from tests.auth.conftest import Send
from tests.cast import HERE, Cast, token_of
from tests.factories import PASSWORD

OWN = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://portal.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://portal.example.evil.example"},
    {"Origin": "http://portal.example:81"},
    {"Origin": "http://evil.example/portal.example"},
    {"Referer": "http://portal.example/login"},
]
OUTSIDE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "http:evil.example",
    "http://evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "\t//evil.example",
    " //evil.example",
    "/ok\r\nLocation: http://evil.example",
    "//evil.example@portal.example",
    "http://[",
    "//[",
    "/\x00/evil.example",
    "/\u2028/evil.example",
    "evil.example",
    "",
    "?next=//evil.example",
    "@evil.example",
]
INSIDE = [
    "/",
    "/?status=trial_expired&page=2",
    "/accounts/7",
    "/accounts/7?tab=runs#last",
    "/a%0d%0ab",
    "/%5cevil.example",
]


def _ticket(cast: Cast) -> str:
    return db.write(sessions.new_ticket, cast.alice.id)


def _begin(send: Send, ticket: str, target: str | None = None, headers: Any = None, **given: Any) -> httpx.Response:
    form = {"ticket": ticket} | ({"next": target} if target is not None else {})
    return send("POST", "/auth/session", data=form, headers=OWN if headers is None else headers, **given)


def _token(answer: httpx.Response) -> str | None:
    return sessions.token_in(answer.headers.get("set-cookie", "").partition(";")[0])


def test_a_ticket_becomes_a_cookie_that_no_script_reads(cast: Cast, send: Send) -> None:
    answer = _begin(send, service.sign_in(cast.alice.email, PASSWORD, HERE).token, "/accounts/7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts/7")
    name, *flags = [part.strip() for part in answer.headers["set-cookie"].split(";")]
    assert name.startswith("portal_session=")
    assert {flag.lower() for flag in flags} == {"httponly", "samesite=lax", "path=/"}
    assert answer.headers["cache-control"] == "no-store"
    assert db.read(sessions.identify, _token(answer), HERE).user_id == cast.alice.id


def test_a_ticket_that_is_spent_unknown_or_missing_sets_nothing(cast: Cast, send: Send) -> None:
    ticket = _ticket(cast)
    assert _token(_begin(send, ticket))
    for again in (ticket, "unknown", "", "x" * 10_000, "\ud7ff\x00"):
        answer = _begin(send, again, "/accounts/7")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?again=1")
        assert "set-cookie" not in answer.headers
    assert send("POST", "/auth/session", headers=OWN).status_code in (303, 413)


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_another_sites_page_can_neither_sign_in_nor_out(cast: Cast, send: Send, headers: dict[str, str]) -> None:
    ticket, token = _ticket(cast), token_of(cast.alice)
    assert _begin(send, ticket, headers=headers).status_code == 403
    cookie = {"Cookie": f"portal_session={token}"}
    assert send("POST", "/auth/sign-out", headers=headers | cookie).status_code == 403
    assert db.read(sessions.identify, token, HERE).signed_in
    assert _token(_begin(send, ticket))


@pytest.mark.parametrize("headers", [OWN, {"Origin": "http://portal.example"}, OWN | {"Origin": "null"}], ids=str)
def test_the_portals_own_page_can(cast: Cast, send: Send, headers: dict[str, str]) -> None:
    assert _begin(send, _ticket(cast), headers=headers).status_code == 303
    token = token_of(cast.alice)
    answer = send("POST", "/auth/sign-out", headers=headers | {"Cookie": f"portal_session={token}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "storage" in answer.headers["clear-site-data"]
    gone = [c.partition("=")[0] for c in answer.headers.get_list("set-cookie") if "Max-Age=0" in c]
    assert gone == ["portal_session", "__Host-portal_session"]
    assert not db.read(sessions.identify, token, HERE).signed_in


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/auth/session", "/auth/sign-out"])
def test_only_a_form_can(cast: Cast, send: Send, method: str, path: str) -> None:
    token = token_of(cast.alice)
    answer = send(method, path, headers=OWN | {"Cookie": f"portal_session={token}"})
    assert answer.status_code == 405
    assert db.read(sessions.identify, token, HERE).signed_in


@pytest.mark.parametrize("target", OUTSIDE, ids=repr)
def test_next_never_leads_elsewhere(cast: Cast, send: Send, target: str) -> None:
    for form in (target, quote(target, safe="")):
        answer = _begin(send, _ticket(cast), form)
        assert answer.status_code == 303
        if form == target:
            assert answer.headers["location"] == "/"
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith(("//", "/\\"))
        assert len(answer.headers.get_list("set-cookie")) == 1


@pytest.mark.parametrize("target", INSIDE)
def test_next_leads_to_a_page_of_the_portal(target: str) -> None:
    assert routes.local_path(target) == target


@hypothesis_settings(max_examples=300, derandomize=True, deadline=None)
@given(
    start=st.sampled_from(["", "/", "/", "/", "//", "/x", "/."]),
    rest=st.text(alphabet=st.sampled_from("/\\\t\r\n .:@?#%[]ahtps0d5c\u2028é"), max_size=10),
)
def test_no_text_leads_elsewhere(start: str, rest: str) -> None:
    path = routes.local_path(start + rest)
    joined = httpx.URL("http://portal.example/login").join(path)
    assert path.startswith("/")
    assert joined.host == "portal.example"
    assert path.isprintable()
    assert "\\" not in path


@pytest.fixture
def behind_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_TRUSTED_PROXIES", "10.0.0.1, 10.1.0.0/16")
    reset_settings()


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9"}


@pytest.mark.parametrize("peer", ["10.0.0.1", "10.1.2.3"])
def test_on_https_behind_the_proxy_the_cookie_is_secure_and_of_this_host(
    behind_proxy: None, cast: Cast, send: Send, peer: str
) -> None:
    answer = _begin(send, _ticket(cast), headers=OWN | FORWARDED, peer=peer)
    name, *flags = [part.strip() for part in answer.headers["set-cookie"].split(";")]
    assert name.startswith("__Host-portal_session=")
    assert {flag.lower() for flag in flags} == {"httponly", "samesite=lax", "path=/", "secure"}
    assert _address_of(cast) == "198.51.100.9"


@pytest.mark.parametrize("peer", ["10.0.0.2", "192.0.2.7", "127.0.0.1"])
def test_forwarded_headers_of_anybody_else_count_for_nothing(
    behind_proxy: None, cast: Cast, send: Send, peer: str
) -> None:
    answer = _begin(send, _ticket(cast), headers=OWN | FORWARDED, peer=peer)
    assert answer.headers["set-cookie"].startswith("portal_session=")
    assert "secure" not in answer.headers["set-cookie"].lower()
    assert _address_of(cast) == peer


def test_without_a_configured_proxy_they_count_for_nothing(cast: Cast, send: Send) -> None:
    answer = _begin(send, _ticket(cast), headers=OWN | FORWARDED, peer="127.0.0.1")
    assert answer.headers["set-cookie"].startswith("portal_session=")
    assert _address_of(cast) == "127.0.0.1"


def test_what_the_client_wrote_before_the_proxy_counts_for_nothing(behind_proxy: None, cast: Cast, send: Send) -> None:
    forged = {"X-Forwarded-For": "1.1.1.1, 198.51.100.9", "X-Forwarded-Proto": "https"}
    _begin(send, _ticket(cast), headers=OWN | forged, peer="10.0.0.1")
    assert _address_of(cast) == "198.51.100.9"


def _address_of(cast: Cast) -> str:
    with db.reading() as session:
        return session.query(sessions.LoginSession.address).one()[0]


@pytest.mark.parametrize("length", [routes.LARGEST_FORM + 1, 50_000_000])
def test_a_large_form_is_not_read(cast: Cast, send: Send, length: int) -> None:
    answer = send("POST", "/auth/session", content=b"ticket=x", headers=OWN | {"Content-Length": str(length)})
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data", "application/json", "a"])
def test_a_body_of_another_kind_makes_no_fault(cast: Cast, send: Send, kind: str) -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=ticket; filename=a\r\n\r\nz\r\n--x--\r\n"
    answer = send("POST", "/auth/session", content=body, headers=OWN | {"Content-Type": kind})
    assert answer.status_code in (303, 400)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("portal_session=abc", "abc"),
        ('odd={"a": [1, 2]}; portal_session=abc', "abc"),
        ("a=b=c; portal_session=abc; x", "abc"),
        ("portal_session=plain; __Host-portal_session=secure", "secure"),
        ("__Host-portal_session=; portal_session=plain", "plain"),
        ("xportal_session=abc; portal_sessionx=abc", None),
        ("portal_session=", None),
        (";;;", None),
        ("", None),
        (None, None),
    ],
)
def test_the_token_is_found_among_other_programs_cookies(header: str | None, token: str | None) -> None:
    assert sessions.token_in(header) == token


def test_a_ticket_is_good_in_the_browser_that_signed_in_and_in_no_other(cast: Cast, send: Send) -> None:
    mine = replace(HERE, mark="mine")
    for mark in ("", "other"):
        ticket = service.sign_in(cast.alice.email, PASSWORD, mine).token
        carried = OWN | ({"Cookie": f"portal_browser={mark}"} if mark else {})
        assert _begin(send, ticket, headers=carried).headers["location"] == "/login?again=1"
    ticket = service.sign_in(cast.alice.email, PASSWORD, mine).token
    assert _token(_begin(send, ticket, headers=OWN | {"Cookie": "a=b; portal_browser=mine"}))
