"""Who may call the API: first of all, who may not."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from portal_app import clock, db
from portal_app.api import problems, throttle
from portal_app.api.app import api_app
from portal_app.api.policy import GuardedRoute, public
from portal_app.auth import tokens
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from portal_app.models import ApiToken, BackupTask, Partner
from tests.api.conftest import URL, Client, bearer, new_token
from tests.backups.conftest import Cast, report


def body(cast: Cast, **given: Any) -> dict[str, Any]:
    return report(cast, **given).model_dump(mode="json")


def change(model: type, **values: Any) -> None:
    def do(session: Any) -> None:
        for row in session.exec(select(model)).all():
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

    db.write(do)


def tasks() -> int:
    return db.read(lambda session: len(session.exec(select(BackupTask)).all()))


def test_without_a_token_nobody_gets_in(client: Client, cast: Cast) -> None:
    told = client.post(URL, json=body(cast))
    assert told.status_code == 401
    assert told.headers["www-authenticate"].startswith("Bearer")
    assert told.headers["content-type"] == problems.MEDIA_TYPE
    assert tasks() == 0


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer ppt_", "Bearer ppt_" + "x" * 43, "Bearer " + "x" * 5000, "ppt_x y"],
)
def test_a_wrong_token_answers_like_none(client: Client, cast: Cast, header: str) -> None:
    without = client.post(URL, json=body(cast))
    told = client.post(URL, json=body(cast), headers={"Authorization": header})
    assert (told.status_code, told.content) == (401, without.content)


def test_revoked_expired_and_suspended_answer_like_unknown(client: Client, cast: Cast) -> None:
    def answer(token: str) -> tuple[int, bytes]:
        told = client.post(URL, json=body(cast), headers=bearer(token))
        return told.status_code, told.content

    unknown = answer("ppt_" + "x" * 43)
    token = new_token(cast.partner_id)
    change(ApiToken, ends_at=clock.now() - timedelta(seconds=1))
    assert answer(token) == unknown
    change(ApiToken, ends_at=None, revoked_at=clock.now())
    assert answer(token) == unknown
    change(ApiToken, revoked_at=None)
    change(Partner, state="suspended")
    assert answer(token) == unknown
    change(Partner, state="active")
    assert answer(token)[0] == 201


def test_a_token_without_the_permission_is_told_so(client: Client, cast: Cast) -> None:
    told = client.post(URL, json=body(cast), headers=bearer(new_token(cast.partner_id, Permission.BILLING_VIEW)))
    assert (told.status_code, told.json()["detail"]) == (403, Permission.BACKUPS_RUN.refusal)
    assert tasks() == 0


def test_another_partners_account_answers_like_an_unknown_one(client: Client, cast: Cast, token: str) -> None:
    answers = [
        client.post(URL, json=body(cast, account=account), headers=bearer(token))
        for account in (cast.charlies_account, 999_999, "no@such.example")
    ]
    assert {(told.status_code, told.content) for told in answers} == {(404, answers[0].content)}
    assert tasks() == 0


def test_strangers_are_refused_before_their_body_is_read(client: Client, cast: Cast) -> None:
    assert client.post(URL, content=b"{not json").status_code == 401
    no_permission = bearer(new_token(cast.partner_id, Permission.BILLING_VIEW))
    assert client.post(URL, content=b"{not json", headers=no_permission).status_code == 403


def test_a_cookie_opens_nothing(client: Client, cast: Cast, token: str) -> None:
    told = client.post(URL, json=body(cast), headers={"Cookie": f"portal_session={token}"})
    assert told.status_code == 401


def test_each_route_declares_its_policy() -> None:
    declared = {route.path: str(route.endpoint.__policy__) for route in api_app.routes}
    assert declared["/v1/backup-runs"] == "permission backups:run"
    assert all(isinstance(route, GuardedRoute) for route in api_app.routes)
    assert {path for path, policy in declared.items() if policy.startswith("public")} == {"/openapi.json", "/docs"}


def test_a_route_that_declares_nothing_refuses_everybody(token: str) -> None:
    app = FastAPI(openapi_url=None)
    app.router.route_class = GuardedRoute
    problems.install(app)
    app.get("/forgotten")(lambda: "secret")
    app.get("/open")(public("for this test")(lambda: "open"))
    made = Client(app)
    assert made.get("/forgotten", headers=bearer(token)).status_code == 403
    assert made.get("/open").json() == "open"


def test_public_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="why"):
        public("")


def test_too_many_requests_wait(client: Client, cast: Cast, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PER_MINUTE", 2)
    other = new_token(cast.partner_id)
    same = body(cast)
    answers = [client.post(URL, json=same, headers=bearer(token)) for _ in range(3)]
    assert [told.status_code for told in answers] == [201, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 61
    # Another token of the same partner isn't held up.
    assert client.post(URL, json=same, headers=bearer(other)).status_code == 200


def test_the_last_use_is_noted_once_a_minute(client: Client, cast: Cast, token: str) -> None:
    def used() -> Any:
        return db.read(lambda session: session.exec(select(ApiToken.used_at).order_by(col(ApiToken.id))).first())

    same = body(cast)
    assert used() is None
    client.post(URL, json=same, headers=bearer(token))
    first = used()
    client.post(URL, json=same, headers=bearer(token))
    assert used() == first
    change(ApiToken, used_at=clock.now() - timedelta(seconds=61))
    client.post(URL, json=same, headers=bearer(token))
    assert used() > first


def test_a_token_revoked_in_between_is_refused_at_once(client: Client, cast: Cast, token: str) -> None:
    assert client.post(URL, json=body(cast), headers=bearer(token)).status_code == 201
    db.write(tokens.revoke, system(), 1)
    assert client.post(URL, json=body(cast), headers=bearer(token)).status_code == 401
