"""Portals that hang, break, lie or never end; and values that can't be read."""

import json
import socket
import threading
from typing import Any

import pytest

from portal_app.accounts import storage_relay
from portal_app.errors import Conflict, Invalid
from portal_app.portal_import import client, service, values
from portal_app.portal_import.foreign import Found
from portal_app.portal_import.reading import understand
from portal_app.portal_import.values import Unread
from portal_app.settings import reset_settings
from tests.portal_import.conftest import account, bill, state, task
from tests.portal_import.portals import SECRETS, Portal


def read(url: str, version: int = 1) -> Found:
    given = service.credentials(SECRETS | {"url": url, "version": str(version)})
    return client.read(given, lambda _kind, _number: None)


def refused(portal: Portal, answer: Any, version: int = 1) -> str:
    portal.answer = answer
    with pytest.raises((Conflict, Invalid)) as told:
        read(portal.url, version)
    return " ".join([told.value.sentence, *getattr(told.value, "fields", {}).values()])


def on(last: str, status: int, told: Any) -> Any:
    return lambda path, _query: (status, told) if path.endswith(last) else None


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_are_asked_as_their_clients_ask(portal: Portal, version: int) -> None:
    found = read(f"{portal.url}/v{version}/", version)
    assert [len(getattr(found, kind)) for kind in ("accounts", "tasks", "states", "bills")] == [1, 1, 1, 1]
    path, _, headers = portal.seen[0]
    assert path == f"/v{version}/auth/partner"
    assert json.loads(headers["body"]) == {"email": SECRETS["email"], "password": SECRETS["password"]}
    for path, query, headers in portal.seen:
        assert (headers["client-id"], headers["client-secret"]) == (SECRETS["client_id"], SECRETS["client_secret"])
        if "auth" not in path:
            assert headers["authorization"] == ("Bearer access" if version == 1 else "access")
        assert not any(secret in f"{path}{query}" for secret in SECRETS.values())


@pytest.mark.parametrize("version", [1, 2])
def test_pages_are_read_to_the_last(portal: Portal, version: int) -> None:
    portal.page_size, portal.lists["accounts"] = 2, [account(number) for number in range(7)]
    assert [one["id"] for one in read(portal.url, version).accounts] == [f"a-{number}" for number in range(7)]
    asked = [query for path, query, _ in portal.seen if path.endswith(("users", "accounts"))]
    if version == 1:
        assert asked[0] == {"pageSize": "500"}
        assert asked[1] == {"pageSize": "500", "page": "2", "nextPageToken": "t2"}
    else:
        assert asked[:2] == [{"page": "1", "limit": "500"}, {"page": "2", "limit": "500"}]


def test_a_list_without_pages_is_taken(portal: Portal) -> None:
    portal.answer = on("bills", 200, [bill()])
    assert len(read(portal.url).bills) == 1


def test_a_portal_that_gives_one_page_again_and_again_ends(portal: Portal) -> None:
    portal.answer = on("users", 200, {"totalPages": 10**6, "nextPageToken": "x", "data": [account()]})
    found = read(portal.url)
    assert len(found.accounts) == 1
    assert found.oddities == ["The portal gave the same page of accounts twice; the reading of them ended there."]


def test_a_list_that_never_ends_is_given_up(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_PAGES", 5)

    def endless(path: str, query: dict[str, str]) -> Any:
        page = int(query.get("page", 1))
        return (200, {"nextPageToken": str(page), "data": [account(page)]}) if path.endswith("users") else None

    assert refused(portal, endless) == "The portal's list of accounts does not end."
    monkeypatch.setattr(client, "MOST_OBJECTS", 3)
    assert "more than 3 accounts" in refused(portal, endless)


def test_pages_that_lack_objects_are_told(portal: Portal) -> None:
    portal.answer = on("users", 200, {"page": 1, "totalPages": 1, "total": 38, "data": [account()]})
    assert read(portal.url).oddities == ["The portal says that it has 38 accounts, and gave 1."]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_portal_that_is_busy_is_asked_again(portal: Portal, status: int) -> None:
    left = [1, 2, 3]

    def busy(path: str, _query: dict[str, str]) -> Any:
        return (status, {"_headers": {"Retry-After": "1"}}) if path.endswith("users") and left and left.pop() else None

    portal.answer = busy
    assert len(read(portal.url).accounts) == 1
    told = refused(portal, on("users", status, {}))
    assert f"(status {status})" in told
    assert told.endswith("Please try again later.")


def test_how_long_a_busy_portal_wants_to_be_left_alone_is_heard_within_limits(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LONGEST_WAIT", 30.0)
    waited: list[float] = []
    for asked in ("7", "86400", "x"):
        portal.answer = on("users", 429, {"_headers": {"Retry-After": asked}})
        given = service.credentials(SECRETS | {"url": portal.url, "version": "1"})
        with pytest.raises(Conflict):
            client.read(given, lambda _kind, _number: None, waited.append)
    assert waited == [7, 7, 7, 30, 30, 30, 0, 0, 0]


@pytest.mark.parametrize(
    ("status", "told", "words"),
    [
        (200, b"<html>", "it is no JSON"),
        (200, b"[" * 100_000, "it is no JSON"),
        (200, b"\xff\xfe", "it is no JSON"),
        (200, {"data": "x"}, "it holds no list"),
        (200, {"page": 1}, "it holds no list"),
        (200, 7, "it holds no list"),
        (404, {}, "does not answer as one that can be imported (status 404)"),
        (302, {"_headers": {"Location": "http://elsewhere.example/"}}, "sends us to another address"),
        (403, {}, "These credentials may not read the portal's accounts."),
    ],
)
def test_answers_that_cant_be_read_are_told(portal: Portal, status: int, told: Any, words: str) -> None:
    assert words in refused(portal, on("users", status, told))


@pytest.mark.parametrize("told", [{}, [], {"accessToken": 7}, {"accessToken": ""}, {"accessToken": "é"}, "x"])
def test_a_sign_in_that_gives_nothing_is_told(portal: Portal, told: Any) -> None:
    assert "can't be read" in refused(portal, on("auth/partner", 200, told))


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_told(portal: Portal, status: int) -> None:
    assert "refused to sign in" in refused(portal, on("auth/partner", status, {}))


def test_a_sign_in_that_ended_is_renewed(portal: Portal) -> None:
    ended = [True]
    portal.answer = lambda path, _query: (401, {}) if path.endswith("tasks") and ended and ended.pop() else None
    assert len(read(portal.url).tasks) == 1
    assert sum(path.endswith("auth/partner") for path, *_ in portal.seen) == 2


def test_an_answer_that_is_too_large_is_given_up(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_BYTES", 1_000)
    assert refused(portal, on("users", 200, b" " * 2_000)) == "The portal's answer is too large."


def test_a_packed_answer_is_not_unpacked(portal: Portal) -> None:
    told = {"_headers": {"Content-Encoding": "gzip"}, "data": []}
    assert "it is packed" in refused(portal, on("users", 200, told))


def test_a_portal_that_hangs_is_given_up(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE_SECONDS", 0.2)
    held = threading.Event()
    try:
        told = refused(portal, lambda path, _query: held.wait(30) and None if path.endswith("users") else None)
    finally:
        held.set()
    assert told.startswith(("The portal was silent", "The connection to the portal broke"))


def test_a_portal_that_closes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Invalid) as told:
        read(f"http://127.0.0.1:{port}")
    assert told.value.fields == {"url": "The portal can't be reached at this address."}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "10.0.0.5", "169.254.169.254", "localhost", "portal.example"])
def test_no_way_leads_into_a_private_network(portal: Portal, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A public name that stands for a private address neither."""
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "0")
    reset_settings()
    real = storage_relay.look_up
    names = {"portal.example": "127.0.0.1"}
    monkeypatch.setattr(
        storage_relay, "look_up", lambda name, *rest, **more: real(names.get(name, name), *rest, **more)
    )
    port = portal.url.rpartition(":")[2]
    with pytest.raises(Invalid) as told:
        read(f"https://{host}:{port}")
    assert told.value.fields == {"url": "This address lies in a private network, where the portal may not read."}
    assert portal.seen == []


def test_credentials_go_out_over_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_STORAGE", "0")
    reset_settings()
    with pytest.raises(Invalid) as told:
        read("http://portal.example")
    assert told.value.fields == {"url": client.NOT_SECURE}


def test_no_secret_comes_into_a_log(portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    read(portal.url)
    refused(portal, on("users", 500, {}))
    assert not any(secret in caplog.text for secret in (*SECRETS.values(), "Bearer access"))


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        (20210311, "2021-03-11T00:00:00"),
        ("20210311", "2021-03-11T00:00:00"),
        (20230330202812, "2023-03-30T20:28:12"),
        ("2021-01-07T11:44:57.000Z", "2021-01-07T11:44:57"),
        ("2021-01-07T11:44:57+02:00", "2021-01-07T09:44:57"),
        ("2021-01-07 11:44", "2021-01-07T11:44:00"),
        (None, None),
        ("", None),
        (0, None),
    ],
)
def test_dates_come_in_three_shapes(given: Any, iso: str | None) -> None:
    found = values.moment(given)
    assert (found and f"{found:%Y-%m-%dT%H:%M:%S}") == iso
    assert found is None or found.utcoffset() is not None


@pytest.mark.parametrize("given", [20211332, 99999999, 5, "soon", True, {}, [], 1.5, "2021-13-01", 19000101, "9" * 400])
def test_what_is_no_date_is_told(given: Any) -> None:
    with pytest.raises(Unread):
        values.moment(given)


def test_numbers_may_be_texts() -> None:
    told = {7: 7, "7": 7, "1,234": 1234, "5.00": 5, 5.0: 5, None: 0, "": 0}
    assert {given: values.number(given) for given in told} == told
    for wrong in (True, -1, 1.5, "x", "1.5", [], float("nan"), float("inf"), 2**70):
        with pytest.raises(Unread):
            values.number(wrong)


@pytest.mark.parametrize(
    ("name", "shorter"),
    [
        ("Bauer 204", "Bauer"),
        ("Bauer204", "Bauer"),
        ("Bauer - 17", "Bauer"),
        ("Studio 54 Berlin", "Studio 54 Berlin"),
        ("1&1", "1&1"),
        ("365", "365"),
        ("A 3", "A 3"),
        ("", ""),
    ],
)
def test_digits_at_the_end_of_a_name(name: str, shorter: str) -> None:
    assert values.without_digits(name) == shorter


def test_every_value_that_cant_be_read_is_told_by_object_and_field() -> None:
    found = Found(
        accounts=[account(1, name=["x"], email="nobody"), account(1), account(2, id=None), account(3, name="a\u0000b")],
        tasks=[
            task(1, size="big", source="MOON", lastBackupDates={"X": 5}),
            task(2, owner=9),
            task(3, numOfEntities=-1, lastBackupDates=[]),
        ],
        states=[
            state("A", size=-5, lastBackupDate="soon"),
            state("B", status="SLEEPING"),
            state("C", of=9),
            state("A"),
            state("A"),
            state("", backupStatus="x"),
        ],
        bills=[bill("Nobody"), bill("firm1@there.example"), bill("Firm 1", lines=7, total=2.5)],
    )
    told = {(fault.kind, fault.field) for fault in understand(found).faults}
    assert told == {
        ("Account", "name"),
        ("Account", "email"),
        ("Account", "id"),
        ("Task", "size"),
        ("Task", "source"),
        ("Task", "lastBackupDates"),
        ("Task", "userId"),
        ("Task", "numOfEntities"),
        ("State", "size"),
        ("State", "lastBackupDate"),
        ("State", "status"),
        ("State", "taskId"),
        ("State", "entityName"),
        ("State", "backupStatus"),
        ("Bill", "name"),
    }


def test_nothing_that_comes_breaks_the_reading() -> None:
    """Each field of each object in turn is each kind of nonsense."""
    nonsense = [
        None,
        True,
        -1,
        2**80,
        1.5,
        "",
        "x" * 5_000,
        "\ud800",
        "\u202e",
        [],
        [1],
        [[]],
        {},
        {"a": {}},
        [{"status": {}}],
    ]
    made = {"accounts": account, "tasks": task, "states": state, "bills": bill}
    for kind, make in made.items():
        for where in make():
            for value in nonsense:
                lists = {name: [one()] for name, one in made.items()}
                lists[kind] = [make(**{where: value})]
                read_all = understand(Found(**lists))
                assert all(len(fault) == 5 for fault in read_all.faults)


def test_whose_bill_it_is() -> None:
    def owners(*names: str, bills: tuple[str, ...]) -> list[int]:
        accounts = [account(number, name=name) for number, name in enumerate(names)]
        portal = understand(Found(accounts=accounts, bills=[bill(name) for name in bills]))
        return [len(customer.bills) for customer in portal.customers]

    assert owners("Bauer", "Meier", bills=("Bauer",)) == [1, 0]
    assert owners("Bauer 204", "Meier", bills=("Bauer",)) == [1, 0]
    assert owners("Bauer", "Meier", bills=("BAUER 204",)) == [1, 0]
    assert owners("Bauer", "Bauer", bills=("Bauer",)) == [0, 0]
    assert owners("Bauer 1", "Bauer 2", bills=("Bauer 2", "Bauer")) == [0, 1]
    assert owners("Bauer", bills=("Bauer", "Bauer")) == [2]
