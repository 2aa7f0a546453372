"""Who reads the facade: first of all, who does not."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from portal_app import clock, crypto, db
from portal_app.api import problems, throttle
from portal_app.auth.permissions import Permission
from portal_app.compat import access
from portal_app.compat.app import app
from portal_app.compat.policy import ClientRoute
from portal_app.models import ApiToken, AuditEvent, BackupTask, Partner, TrustedAddress, User
from tests import factories
from tests.api.conftest import Client, new_token
from tests.cast import Cast
from tests.compat.conftest import LISTS, READS, Caller

EVERY = [f"{version}/{path}" for version, paths in LISTS.items() for path in paths]
EVERY += ["v1/partners", "v1/partners/resellers", "v1/partners/resellers/X", "v2/resellers/details"]


def change(model: type, **values: Any) -> None:
    db.write(lambda session: session.execute(update(model).values(values)))


@pytest.mark.parametrize("path", EVERY)
def test_without_a_client_nobody_reads(client: Client, cast: Cast, path: str) -> None:
    told = client.get(f"/compat/{path}")
    assert told.status_code == 401
    assert told.headers["content-type"] == problems.MEDIA_TYPE


@pytest.mark.parametrize("path", EVERY)
def test_the_clients_secret_alone_reads_nothing(caller: Caller, path: str) -> None:
    caller.access = ""
    assert caller.get(path).status_code == 401


def test_the_pass_alone_reads_nothing(caller: Caller) -> None:
    bearer = {"Authorization": f"Bearer {caller.access}"}
    assert caller.client.get("/compat/v1/partners", headers=bearer).status_code == 401
    assert caller.client.get("/compat/v1/partners", headers=caller.own() | bearer).status_code == 200


def test_a_pass_is_good_beside_its_own_token_only(caller: Caller, cast: Cast) -> None:
    other = Caller(caller.client, new_token(cast.partner_a.id, *READS), access=caller.access)
    assert other.get("v1/partners").status_code == 401
    stranger = Caller(caller.client, new_token(cast.partner_b.id, *READS), access=caller.access)
    assert stranger.get("v1/partners").status_code == 401


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", "x" * 3000, "Basic YTpi", "Bearer é"])
def test_what_is_no_pass_opens_nothing(caller: Caller, given: str) -> None:
    headers = caller.own() | {"Authorization": given.encode()}
    assert caller.client.get("/compat/v1/partners", headers=headers).status_code == 401


def test_both_writings_of_the_pass_are_taken(caller: Caller) -> None:
    for given in (caller.access, f"Bearer {caller.access}", f"bearer {caller.access}"):
        headers = caller.own() | {"Authorization": given}
        assert caller.client.get("/compat/v2/resellers/details", headers=headers).status_code == 200


def test_a_pass_ends_after_an_hour(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=59))
    assert caller.get("v1/partners").status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=61))
    assert caller.get("v1/partners").status_code == 401


def test_what_renews_is_no_pass_and_a_pass_does_not_renew(caller: Caller) -> None:
    told = caller.sign_in("v1").json()
    url, body = "/compat/v1/auth/refresh", {"refreshToken": told["refreshToken"]}
    renewed = caller.client.post(url, json=body, headers=caller.own())
    assert renewed.status_code == 200
    caller.access = renewed.json()["accessToken"]
    assert caller.get("v1/partners").status_code == 200
    caller.access = told["refreshToken"]
    assert caller.get("v1/partners").status_code == 401
    for wrong in (told["accessToken"], "", "x"):
        assert caller.client.post(url, json={"refreshToken": wrong}, headers=caller.own()).status_code == 401


def test_a_sealed_secret_of_elsewhere_is_no_pass(caller: Caller) -> None:
    actor_hash = rows(ApiToken)[0].token_hash
    foreign = crypto.seal(
        f'{{"token": "{actor_hash}", "ends": "2999-01-01T00:00:00+00:00"}}'.encode(),
        binding=crypto.binding(1, "custom_storage", 1, "sealed"),
    )
    caller.access = access.base64.urlsafe_b64encode(foreign).decode()
    assert caller.get("v1/partners").status_code == 401


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_signing_in_takes_the_token_and_no_persons_password(caller: Caller, version: str) -> None:
    """Else a password would go round the second factor."""
    for wrong in (factories.PASSWORD, "", caller.token[:-1], caller.token + "x"):
        assert caller.sign_in(version, password=wrong).status_code == 401
    assert caller.sign_in(version).status_code == 200


def test_signing_in_asks_for_an_address_of_the_company(caller: Caller, cast: Cast) -> None:
    for wrong in ("", "mallory@people.example", "bob@people.example", "ivan@people.example", "alice"):
        assert caller.sign_in(email=wrong).status_code == 401, wrong
    assert caller.sign_in(email=" ALICE@people.example ").status_code == 200
    change(Partner, email="Office@Alpha.example")
    assert caller.sign_in(email="office@alpha.example").status_code == 200


def test_the_tokens_maker_signs_in_too(caller: Caller, cast: Cast) -> None:
    bob = db.read(lambda session: session.get(User, cast.bob.id))
    change(ApiToken, created_by_id=bob.id)
    change(User, all_accounts=True, permissions=[str(one) for one in READS])
    assert caller.sign_in(email="bob@people.example").status_code == 200


@pytest.mark.parametrize("name", ["", "engine 2", "0", "é", "ppt_x"])
def test_another_clients_name_is_refused(caller: Caller, name: str) -> None:
    caller.headers = {"client-id": name.encode()}
    assert caller.get("v1/partners").status_code == 401
    assert caller.sign_in().status_code == 401


def test_the_client_is_named_by_the_tokens_name_or_number(client: Client, cast: Cast) -> None:
    token = new_token(cast.partner_a.id, *READS)
    change(ApiToken, name="Überwachung")
    for name in ("überwachung".encode(), str(rows(ApiToken)[0].id).encode()):
        made = Caller(client, token, headers={"client-id": name})
        assert made.sign_in().status_code == 200


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_each_list_asks_for_its_right(client: Client, cast: Cast, version: str) -> None:
    asked = [Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ACCESS, Permission.ACCOUNTS_ACCESS, Permission.BILLING_VIEW]
    for path, permission in zip(LISTS[version], asked, strict=True):
        others = [one for one in READS if one != permission]
        without = Caller(client, new_token(cast.partner_a.id, *others))
        without.sign_in()
        told = without.get(f"{version}/{path}")
        assert (told.status_code, told.json()["detail"]) == (403, permission.refusal)
    refused = [event.description for event in rows(AuditEvent) if not event.completed]
    assert len(refused) == len(LISTS[version])
    assert all("/compat/" in one for one in refused)


def test_revocation_holds_at_the_next_call(caller: Caller) -> None:
    change(ApiToken, revoked_at=clock.now())
    assert caller.get("v1/partners").status_code == 401
    change(ApiToken, revoked_at=None, ends_at=clock.now() - timedelta(seconds=1))
    assert caller.get("v1/partners").status_code == 401
    change(ApiToken, ends_at=None)
    change(Partner, state="suspended")
    assert caller.get("v1/partners").status_code == 401
    change(Partner, state="active")
    assert caller.get("v1/partners").status_code == 200


def test_trusted_addresses_hold_at_the_next_call(caller: Caller, cast: Cast) -> None:
    change(Partner, ip_restricted=True)
    assert rows(TrustedAddress) == []
    assert caller.get("v1/partners").status_code == 403
    assert caller.sign_in().status_code == 403


def test_too_many_requests_wait(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PER_MINUTE", 3)
    throttle.reset()
    answers = [caller.get("v1/partners").status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert caller.sign_in().status_code == 429


def test_another_partner_is_nowhere(caller: Caller, cast: Cast) -> None:
    known = {str(account.id) for account in cast.accounts_a}
    assert {row["id"] for row in caller.get("v1/partners/users").json()["data"]} == known
    assert {row["userId"] for row in caller.get("v1/partners/tasks").json()["data"]} == known
    change(BackupTask, last_outcome="successful", last_finished_at=clock.now())
    assert {row["userId"] for row in caller.get("v1/partners/status").json()["data"]} == known
    told = caller.get(f"v1/partners/resellers/{cast.partner_b.code}")
    unknown = caller.get("v1/partners/resellers/NOBODY")
    assert (told.status_code, told.content) == (404, unknown.content)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_read_only(caller: Caller, method: str) -> None:
    ours = {route.path for route in app.routes if "auth" not in route.path}
    for path in ours:
        headers = caller.own() | {"Authorization": caller.access}
        url = f"/compat{path.replace('{partner_id}', 'X')}"
        told = asyncio.run(caller.client._send(method.upper(), url, {"headers": headers}))
        assert told.status_code == 405, path


def test_each_route_declares_its_policy_and_asks_for_the_client() -> None:
    assert all(isinstance(route, ClientRoute) for route in app.routes)
    public = {route.path for route in app.routes if str(route.endpoint.__policy__).startswith("public")}
    assert public == {"/v1/auth/partner", "/v2/auth/partner", "/v1/auth/refresh"}


def test_strangers_are_refused_before_their_body_is_read(client: Client, cast: Cast) -> None:
    assert client.post("/compat/v1/auth/partner", content=b"{not json").status_code == 401


def test_answers_are_kept_by_nobody(caller: Caller) -> None:
    assert caller.sign_in().headers["cache-control"] == "no-store"
    assert caller.get("v1/partners/users").headers["cache-control"] == "no-store"


def test_no_secret_comes_into_a_log(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    access_before = caller.access
    caller.sign_in(password="wrong " + factories.PASSWORD)
    caller.get("v1/partners/users")
    for secret in (caller.token, access_before, factories.PASSWORD):
        assert secret not in caplog.text
    assert caller.token not in str(rows(AuditEvent))


def test_its_use_is_noted(caller: Caller) -> None:
    assert rows(ApiToken)[0].used_at is not None


def rows(model: Any) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model).order_by(col(next(iter(model.__table__.c))))).all()))
