"""Files to download: who gets them, whole and in parts, and what the audit says."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlmodel import Session, select
from starlette.applications import Starlette

from portal_app import clock, db
from portal_app.auth.permissions import Permission
from portal_app.files import routes
from portal_app.files import service as files
from portal_app.models import AuditEvent, StoredFile, User
from tests.cast import Cast, cookie_of

CONTENT = bytes(range(256)) * 5000
Get = Callable[..., httpx.Response]


@pytest.fixture
def file(cast: Cast) -> int:
    place = files.new_place()
    place.write_bytes(CONTENT)
    kept = db.write(
        files.keep,
        place,
        name='Export "ü".zip',
        kind="export",
        partner_id=cast.partner_a.id,
        permission=Permission.DATA_EXPORT,
        account_id=cast.accounts_a[1].id,
    )
    return kept.id


@pytest.fixture
def get() -> Get:
    def send(person: User | None, path: str, **headers: str) -> httpx.Response:
        cookie = {"Cookie": cookie_of(person)} if person else {}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(Starlette(routes=routes.routes), client=("192.0.2.7", 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
                return await client.get(path, headers=cookie | headers)

        return asyncio.run(ask())

    return send


def audit() -> list[AuditEvent]:
    return db.read(lambda session: list(session.exec(select(AuditEvent).where(AuditEvent.activity == "Data export"))))


def test_whole_and_audited(cast: Cast, file: int, get: Get) -> None:
    answer = get(cast.alice, f"/files/{file}")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment; filename")
    (row,) = audit()
    assert (row.description, row.account_id, row.performed_by) == (
        'Downloaded Export "ü".zip',
        cast.accounts_a[1].id,
        cast.alice.email,
    )


def test_the_rest_of_a_broken_download_is_no_second_one(cast: Cast, file: int, get: Get) -> None:
    answer = get(cast.alice, f"/files/{file}", Range="bytes=1000-")
    assert (answer.status_code, answer.content) == (206, CONTENT[1000:])
    assert audit() == []


def test_what_is_not_ones_own_is_as_unknown(cast: Cast, file: int, get: Get) -> None:
    # Bob and Carol lack the permission, Bob the account too; Mallory is with another partner, Dave another customer.
    others = [get(who, f"/files/{file}") for who in (cast.bob, cast.carol, cast.nina, cast.mallory, cast.dave)]
    unknown = [get(cast.alice, f"/files/{one}") for one in (file + 1, "x", "-1", "9" * 30)]
    db.write(_end, file)
    for answer in (*others, *unknown, get(cast.alice, f"/files/{file}")):
        assert (answer.status_code, answer.text) == (404, files.NOT_FOUND)
    assert audit() == []


def _end(session: Session, file: int) -> None:
    session.get(StoredFile, file).ends_at = clock.now() - timedelta(seconds=1)


def test_what_is_for_one_person_is_for_nobody_else(cast: Cast, file: int, get: Get) -> None:
    def give(session: Session, to: int) -> None:
        session.get(StoredFile, file).user_id = to

    db.write(give, cast.nina.id)
    assert get(cast.alice, f"/files/{file}").status_code == 404
    db.write(give, cast.alice.id)
    assert get(cast.alice, f"/files/{file}").status_code == 200


def test_who_is_not_signed_in_signs_in_first(cast: Cast, file: int, get: Get) -> None:
    answer = get(None, f"/files/{file}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next=/files/{file}")
