"""Adding, changing and deleting backup tasks."""

from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.models import BackupTask
from tests.api.conftest import Client, bearer, new_token
from tests.backups.conftest import Cast

RIGHTS = (Permission.TASKS_MANAGE, Permission.TASKS_DELETE, Permission.ACCOUNTS_ACCESS)


@pytest.fixture
def send(client: Client, cast: Cast) -> Any:
    mine = new_token(cast.partner_id, *RIGHTS)
    return lambda method, path, by=mine, **given: client.send(method, f"/api/v1/{path}", headers=bearer(by), **given)


def tasks() -> list[BackupTask]:
    return db.read(lambda session: list(session.exec(select(BackupTask))))


def test_a_task_is_added_changed_paused_and_deleted(send: Any, cast: Cast) -> None:
    added = send("POST", f"accounts/{cast.account}/tasks", json={"name": "Files", "service": "s3"})
    assert (added.status_code, added.json()["engine"], added.json()["active"]) == (201, "reported", True)
    path = f"tasks/{added.json()['id']}"
    changed = send("PATCH", path, json={"name": "All files", "active": False}).json()
    assert (changed["name"], changed["active"], changed["service"]) == ("All files", False, "s3")
    assert send("PATCH", path, json={"active": True}).json()["active"] is True
    assert send("GET", path).json()["name"] == "All files"
    assert send("DELETE", path, params={"name": "Files"}).status_code == 409
    assert len(tasks()) == 1
    assert send("DELETE", path, params={"name": "All files"}).status_code == 204
    assert (tasks(), send("GET", path).status_code) == ([], 404)


def test_only_with_the_permissions_and_nothing_of_strangers(send: Any, cast: Cast) -> None:
    task = send("POST", f"accounts/{cast.account}/tasks", json={"name": "Files"}).json()["id"]
    acts = [("POST", "accounts/{}/tasks", {"json": {"name": "x"}}), ("PATCH", "tasks/{}", {"json": {"name": "x"}})]
    acts += [("DELETE", "tasks/{}", {"params": {"name": "Files"}})]
    others = new_token(cast.partner_id, *(one for one in Permission if one not in RIGHTS[:2]))
    stranger = new_token(cast.charlie.partner_id, *Permission)
    for method, path, given in acts:
        number = cast.account if path.startswith("accounts") else task
        assert send(method, path.format(number), others, **given).status_code == 403
        told = [send(method, path.format(one), stranger, **given) for one in (number, 987_654)]
        assert {one.status_code for one in told} == {404}
        assert told[0].content == told[1].content
    assert [one.name for one in tasks()] == ["Files"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 500}, "name"),
        ({"hour": 24}, "hour"),
        ({"engine": "built_in"}, "source"),
        ({"engine": "built_in", "source": "s3", "keep_days": 7}, "keep_days"),
        ({"account_id": 2}, "body"),
    ],
)
def test_what_cant_be_taken_is_said(send: Any, cast: Cast, given: dict[str, Any], field: str) -> None:
    told = send("POST", f"accounts/{cast.account}/tasks", json={"name": "Files"} | given)
    assert told.status_code == 422
    assert field in [one["field"] for one in told.json()["errors"]]
    assert tasks() == []
