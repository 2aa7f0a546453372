"""Reports that list their entities: taken once, within bounds, and told field by field what is wrong."""

import json
from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.backups.intake import MOST_LISTED
from portal_app.models import BackupEntity, BackupRun, BackupTask
from tests.api.conftest import Client, bearer, new_token
from tests.api.test_backup_runs import body, post
from tests.backups.conftest import Cast

__all__ = ["post"]

LISTED = [
    {"key": "ada@x.example", "name": "Ada", "kind": "mailbox", "size_bytes": 9, "outcome": "successful"},
    {"key": "bo@x.example", "outcome": "failed", "error": "Access refused.", "licensed": True},
    {"key": "room@x.example", "outcome": "successful", "licensed": False},
]


def entities() -> dict[str, str]:
    query = select(BackupEntity.key, BackupEntity.standing).order_by(BackupEntity.key)
    return db.read(lambda session: dict(session.exec(query).all()))


def kept(model: type) -> Any:
    return db.read(lambda session: session.exec(select(model).order_by(model.id.desc())).first())


def listed(cast: Cast, entries: list[Any], **given: Any) -> dict[str, Any]:
    told = body(cast, entity_list=entries, **given)
    return {name: value for name, value in told.items() if name not in {"entities", "entities_failed"}}


def test_a_list_is_counted_kept_and_billed(post: Any, cast: Cast) -> None:
    same = listed(cast, LISTED, outcome="partial")
    assert [post(same).status_code for _ in range(2)] == [201, 200]
    assert entities() == dict.fromkeys(("ada@x.example", "bo@x.example", "room@x.example"), "active")
    run, task = kept(BackupRun), kept(BackupTask)
    assert (run.entities, run.entities_failed) == (3, 1)
    assert (task.entities, task.billed_entities) == (3, 2)


def test_gone_is_only_what_a_whole_list_of_a_run_that_worked_lacks(post: Any, cast: Cast) -> None:
    assert post(listed(cast, LISTED, run="1")).status_code == 201
    short = LISTED[:1]
    assert post(listed(cast, short, run="2", outcome="failed")).status_code == 201
    assert post(listed(cast, short, run="3", entity_list_whole=False)).status_code == 201
    assert post(listed(cast, [], run="4")).status_code == 201
    assert set(entities().values()) == {"active"}
    assert post(listed(cast, short, run="5")).status_code == 201
    assert list(entities().values()) == ["active", "inactive", "inactive"]


def test_a_late_report_changes_no_entity(post: Any, cast: Cast) -> None:
    newest = listed(cast, LISTED, run="new")
    assert post(newest).status_code == 201
    earlier = {"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:01:00Z"}
    assert post(listed(cast, LISTED[:1], run="old") | earlier).status_code == 201
    assert set(entities().values()) == {"active"}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({}, "Entry 2, key: Give this value."),
        ({"key": ""}, "Entry 2, key: This can't be empty."),
        ({"key": "k" * 301}, "Entry 2, key: Use at most 300 characters."),
        ({"key": "a", "size_bytes": -1}, "Entry 2, size_bytes: This can't be negative."),
        ({"key": "a", "licensed": 1}, "Entry 2, licensed: Give true or false."),
        ({"key": "a", "outcome": "odd"}, "Entry 2, outcome: Use one of"),
        ({"key": "a", "<script>": 1}, "Entry 2: There is a field that the portal doesn't know. It knows: key, name"),
        ("text", "Entry 2: Send"),
        ({"key": "ada@x.example"}, "There are entities with the same key"),
        ({"key": "a\x00b"}, "Remove the invisible"),
        ({"key": "\ud800"}, ""),
    ],
)
def test_what_cannot_be_taken_is_told_by_its_place(post: Any, cast: Cast, entry: Any, sentence: str) -> None:
    told = post(listed(cast, [LISTED[0], entry]))
    assert told.status_code == 422
    assert [error["field"] for error in told.json()["errors"]] == ["entity_list"]
    assert told.json()["errors"][0]["detail"].startswith(sentence)
    assert "script" not in told.text
    assert entities() == {}


def test_names_lose_what_nobody_can_see(post: Any, cast: Cast) -> None:
    odd = {"key": "k", "name": " A\u202eda\x00 b ", "kind": "\x1bbox", "outcome": "failed", "error": "x" * 900}
    assert post(listed(cast, [odd])).status_code == 201
    one = kept(BackupEntity)
    assert (one.name, one.kind, len(one.error)) == ("A da b", "box", 500)


def test_ten_thousand_are_taken_and_no_more(post: Any, cast: Cast) -> None:
    many = [LISTED[0] | {"key": f"mailbox-{number}@customer.example"} for number in range(MOST_LISTED + 1)]
    told = post(listed(cast, many))
    assert told.json()["errors"] == [{"field": "entity_list", "detail": "Send at most 10,000 at once."}]
    whole = listed(cast, many[1:])
    assert len(json.dumps(whole)) < 2_000_000
    assert post(whole).status_code == 201
    assert len(entities()) == MOST_LISTED


def test_what_was_listed_is_read_in_pages_and_by_what_it_is(post: Any, client: Client, cast: Cast) -> None:
    assert post(listed(cast, LISTED, outcome="partial")).status_code == 201
    assert post(listed(cast, LISTED[:2], run="2", outcome="partial")).status_code == 201
    task = kept(BackupTask)
    reads = bearer(new_token(cast.partner_id, Permission.ACCOUNTS_ACCESS))

    def keys(**asked: Any) -> list[str]:
        told = client.get(f"/api/v1/tasks/{task.id}/entities", params=asked, headers=reads).json()
        rest = keys(**asked | {"cursor": told["next"]}) if told["next"] else []
        return [one["key"] for one in told["data"]] + rest

    every = [one["key"] for one in LISTED]
    assert keys() == keys(limit=1) == keys(limit=2) == every
    assert keys(standing="inactive") == keys(state="not_active") == every[2:]
    assert keys(state="failed", limit=1) == every[1:2]
    told = client.get(f"/api/v1/tasks/{task.id}/entities", headers=reads).json()["data"]
    assert [one["billed"] for one in told] == [True, True, False]
    assert (told[1]["error"], told[1]["last_backup"]) == ("Access refused.", None)
    told = client.get(f"/api/v1/tasks/{task.id}", headers=reads).json()
    assert (told["entities"], told["billed_entities"]) == (3, 2)
