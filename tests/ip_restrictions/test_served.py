"""A real server behind a proxy: sockets, downloads and the API, from the office and from elsewhere."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from portal_app.auth import tokens
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from tests.cast import cookie_of
from tests.ip_restrictions.places import HOME, OFFICE, restrict
from tests.security.pipeline import HYDRATE, name_of
from tests.security.served import Raw, Served, serve
from tests.stores import Template

LOAD = "dashboard_state.load"
ELSEWHERE = (HOME.address, f"{OFFICE.address}, {HOME.address}", "")


@pytest.fixture(scope="module")
def behind_proxy(migrated: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Partner A is open to the office only; this process is the trusted proxy."""
    folder = tmp_path_factory.mktemp("behind-proxy")
    with serve(migrated, folder, PORTAL_TRUSTED_PROXIES="127.0.0.1") as made:
        made.write(restrict, made.cast.partner_a, OFFICE.address)
        yield made


def cookie(of: Served, who: str) -> str:
    with of.here():
        return cookie_of(of.cast.people[who])


def heard(of: Served, forwarded: str, who: str = "alice", **more: Any) -> str:
    """All that a page of this person would get, as text."""
    with Raw(of, cookie(of, who), X_Forwarded_For=forwarded) as raw:
        for name in (HYDRATE, name_of(LOAD), name_of(LOAD)):
            raw.send(name, **more)
        raw.settle()
        return raw.heard()


def test_a_socket_from_the_office_gets_the_rows_and_from_elsewhere_none(behind_proxy: Served) -> None:
    assert "Alpha Elm" in heard(behind_proxy, OFFICE.address)
    assert "Beta Oak" in heard(behind_proxy, HOME.address, "mallory")
    for forwarded in ELSEWHERE:
        said = heard(behind_proxy, forwarded)
        assert "Alpha" not in said, forwarded
        assert "alice@" not in said, forwarded
        assert "/access-denied" in said, forwarded


def test_what_an_event_says_of_its_own_address_counts_for_nothing(behind_proxy: Served) -> None:
    place = {"pathname": "/", "asPath": "/", "query": {}, "ip": OFFICE.address}
    forged = place | {"headers": {"x_forwarded_for": OFFICE.address, "asgi-scope-client": OFFICE.address}}
    assert "Alpha Elm" in heard(behind_proxy, OFFICE.address, router_data=place)
    assert "Alpha" not in heard(behind_proxy, HOME.address, router_data=forged)


@pytest.mark.parametrize("path", ["/accounts/import/template.csv", "/accounts/import/faults.csv?job=x"])
def test_downloads_are_not_for_elsewhere(behind_proxy: Served, path: str) -> None:
    def get(forwarded: str) -> httpx.Response:
        headers = {"Cookie": cookie(behind_proxy, "alice"), "X-Forwarded-For": forwarded}
        return httpx.get(behind_proxy.address + path, headers=headers)

    if "template" in path:
        assert get(OFFICE.address).headers["content-type"].startswith("text/csv")
    for forwarded in ELSEWHERE:
        assert get(forwarded).status_code == 303


def test_a_token_reports_from_the_office_only(behind_proxy: Served) -> None:
    def made(session: Session) -> str:
        partner = behind_proxy.cast.partner_a.id
        return tokens.create_token(session, system(), partner, "Engine", frozenset({Permission.BACKUPS_RUN}))

    token = behind_proxy.write(made)

    def post(forwarded: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": forwarded}
        return httpx.post(f"{behind_proxy.address}/api/v1/backup-runs", json={}, headers=headers)

    assert post(OFFICE.address).status_code == 422
    for forwarded in ELSEWHERE:
        answer = post(forwarded)
        assert answer.status_code == 403
        assert "does not trust" in answer.json()["detail"]
    assert post(HOME.address).json()["detail"].startswith(f"You come from {HOME.address}")
