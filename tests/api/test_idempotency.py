"""A POST under an Idempotency-Key: done once, answered the same each time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from portal_app import clock, db
from portal_app.accounts import adding
from portal_app.auth.permissions import Permission
from portal_app.jobs import cycle
from portal_app.models import Account, ApiToken, IdempotencyKey
from tests import factories
from tests.api.conftest import Client, bearer, new_token
from tests.backups.conftest import Cast

URL = "/api/v1/accounts"


@pytest.fixture
def post(client: Client, cast: Cast) -> Any:
    token = new_token(cast.partner_id, Permission.ACCOUNTS_ADD)
    center = db.write(lambda session: factories.data_center(session).code)
    body = {"name": "Acme", "email": "a@acme.example", "begins": "trial", "data_center": center}

    def send(key: str | bytes = "k-1", *, by: str = token, **given: Any) -> Any:
        return client.post(URL, json=body | given, headers=bearer(by) | {"Idempotency-Key": key})

    return send


def accounts() -> int:
    return db.read(lambda session: len(session.exec(select(Account)).all()))


def keys() -> list[IdempotencyKey]:
    return db.read(lambda session: list(session.exec(select(IdempotencyKey))))


def test_the_same_request_is_done_once_and_answered_the_same(post: Any) -> None:
    first, second = post(), post()
    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert accounts() == 4


def test_a_refusal_is_answered_the_same_too(post: Any) -> None:
    first, second = post(email="nobody"), post(email="nobody")
    assert (first.status_code, first.content, first.headers["content-type"]) == (
        422,
        second.content,
        second.headers["content-type"],
    )
    assert second.headers["idempotency-replayed"] == "true"


def test_another_request_under_the_same_key_is_refused(post: Any) -> None:
    post()
    told = post(email="b@acme.example")
    assert (told.status_code, "another request" in told.json()["detail"]) == (422, True)
    assert accounts() == 4


def test_each_token_has_its_own_keys(post: Any, cast: Cast) -> None:
    post()
    told = post(by=new_token(cast.partner_id, Permission.ACCOUNTS_ADD))
    # Not the kept answer: done again, and refused for the address that is taken by now.
    assert (told.status_code, [one["field"] for one in told.json()["errors"]]) == (422, ["email"])
    assert len(keys()) == 2


def test_who_lost_the_right_gets_no_kept_answer(post: Any, cast: Cast) -> None:
    post()
    db.write(lambda session: session.execute(ApiToken.__table__.update().values(permissions=["backups:run"])))
    assert post().status_code == 403


def test_while_the_first_is_under_way_the_second_is_told_so(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go, add = threading.Event(), threading.Event(), adding.add

    def slow(*args: Any) -> int:
        begun.set()
        assert go.wait(20)
        return add(*args)

    monkeypatch.setattr(adding, "add", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post)
        assert begun.wait(20)
        told = post()
        go.set()
        assert first.result().status_code == 201
    assert (told.status_code, "under way" in told.json()["detail"]) == (409, True)
    assert accounts() == 4


def test_a_key_without_an_answer_is_never_tried_again(post: Any) -> None:
    # As it is left by a process that was killed in between.
    post()
    db.write(lambda session: session.execute(IdempotencyKey.__table__.update().values(status=0, body="")))
    assert post().status_code == 409
    assert accounts() == 4


def test_what_failed_on_our_side_may_come_again(post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_args: object) -> int:
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(adding, "add", busy)
        assert post().status_code == 503
    assert keys() == []
    assert post().status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 121, "é".encode(), b"\xff"])
def test_a_key_that_is_none_is_refused(post: Any, key: str | bytes) -> None:
    assert post(key).status_code == 422
    assert (accounts(), keys()) == (3, [])


def test_keys_are_kept_a_day(post: Any) -> None:
    post()
    db.write(cycle.prune, clock.now() + timedelta(hours=23))
    assert len(keys()) == 1
    db.write(cycle.prune, clock.now() + timedelta(hours=25))
    assert keys() == []
