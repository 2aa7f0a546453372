"""POST /api/v1/accounts and its subscription."""

from typing import Any

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.models import Account, AuditEvent, OutboxMail, User
from tests import factories
from tests.api.conftest import Client, bearer, new_token
from tests.backups.conftest import Cast

URL = "/api/v1/accounts"
NEW = {"name": "Acme Ltd.", "email": "backup@acme.example", "begins": "trial"}


@pytest.fixture
def body(cast: Cast) -> dict[str, Any]:
    return NEW | {"data_center": db.write(lambda session: factories.data_center(session).code)}


@pytest.fixture
def token(cast: Cast) -> str:
    return new_token(cast.partner_id, Permission.ACCOUNTS_ADD, Permission.SUBSCRIBE, Permission.ACCOUNTS_ACCESS)


def accounts() -> int:
    return db.read(lambda session: len(session.exec(select(Account)).all()))


def test_only_with_the_permissions(client: Client, cast: Cast, body: dict[str, Any]) -> None:
    others = [one for one in Permission if one not in {Permission.ACCOUNTS_ADD, Permission.SUBSCRIBE}]
    headers = bearer(new_token(cast.partner_id, *others))
    assert client.post(URL, json=body, headers=headers).status_code == 403
    told = client.post(f"{URL}/{cast.account}/subscribe", json={"plan": "monthly"}, headers=headers)
    assert told.status_code == 403
    assert accounts() == 3


def test_a_trial_is_added_and_its_customer_invited(
    client: Client, cast: Cast, body: dict[str, Any], token: str
) -> None:
    told = client.post(URL, json=body, headers=bearer(token))
    assert told.status_code == 201, told.text
    added = told.json()
    assert (added["name"], added["status"], added["data_center"]) == ("Acme Ltd.", "trial_started", body["data_center"])
    assert client.get(f"{URL}/{added['id']}", headers=bearer(token)).json() == added

    def rows(session: Session) -> tuple[str, str, list[str]]:
        customer = session.exec(select(User).where(User.account_id == added["id"])).one()
        by = [event.performed_by for event in session.exec(select(AuditEvent)) if event.account_id == added["id"]]
        return customer.state, session.exec(select(OutboxMail.recipient)).one(), by

    assert db.read(rows) == ("invited", "backup@acme.example", ["Engine", "Engine"])


def test_it_may_be_subscribed_from_the_start(client: Client, body: dict[str, Any], token: str) -> None:
    told = client.post(URL, json=body | {"begins": "annual"}, headers=bearer(token)).json()
    assert (told["status"], told["trial_ends"], told["subscribed"] is None) == ("annual", None, False)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 500}, "name"),
        ({"name": 7}, "name"),
        ({"email": "nobody"}, "email"),
        ({"begins": "never"}, "begins"),
        ({"data_center": "moon"}, "data_center"),
        ({"data_center": "1"}, "data_center"),
        ({"partner_id": 2}, "body"),
    ],
)
def test_what_cant_be_taken_is_said_beside_its_field(
    client: Client, body: dict[str, Any], token: str, given: dict[str, Any], field: str
) -> None:
    told = client.post(URL, json=body | given, headers=bearer(token))
    assert (told.status_code, [one["field"] for one in told.json()["errors"]]) == (422, [field])
    assert accounts() == 3


def test_an_address_is_taken_once(client: Client, cast: Cast, body: dict[str, Any], token: str) -> None:
    told = client.post(URL, json=body | {"email": cast.email}, headers=bearer(token))
    assert (told.status_code, told.json()["errors"][0]["field"]) == (422, "email")


def test_a_trial_is_subscribed_once(client: Client, cast: Cast, token: str) -> None:
    address = f"{URL}/{cast.account}/subscribe"
    told = client.post(address, json={"plan": "monthly"}, headers=bearer(token))
    assert (told.status_code, told.json()["status"]) == (200, "monthly")
    again = client.post(address, json={"plan": "annual"}, headers=bearer(token))
    assert (again.status_code, again.json()["detail"]) == (409, "This account is subscribed already.")


def test_a_strangers_account_is_like_an_unknown_one(client: Client, cast: Cast, token: str) -> None:
    told = [
        client.post(f"{URL}/{account}/subscribe", json={"plan": "monthly"}, headers=bearer(token))
        for account in (cast.charlies_account, 987_654)
    ]
    assert {(one.status_code, one.content) for one in told} == {(404, told[0].content)}
