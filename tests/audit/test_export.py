"""The audit as a file."""

import asyncio
import csv
import io
import tracemalloc

import pytest

from portal_app import db
from portal_app.audit import reading
from portal_app.audit.query import AuditQuery
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from tests.audit.conftest import Send, make_rows
from tests.cast import Cast, cookie_of

FILE = "/security-audit/export.csv"


def read(send: Send, cast: Cast, asked: str = "") -> list[dict[str, str]]:
    answer = send("GET", FILE + asked, headers={"Cookie": cookie_of(cast.alice), "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="security-audit-2')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf") and answer.content.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), strict=True))


def test_all_rows_whole_and_the_export_itself_is_recorded(
    cast: Cast, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "EXPORTED_AT_ONCE", 7)
    db.write(make_rows, cast.partner_a.id, 30)
    lines = read(send, cast)
    assert list(lines[0]) == list(reading.HEADER)
    assert [line["Description"] for line in lines] == [f"What was done, {n}" for n in range(29, -1, -1)]
    assert {line["Status"] for line in lines} == {"Completed", "Failed"}
    (row, *_) = db.read(reading.page, cast.actor("alice"), AuditQuery()).rows
    assert (row.activity, row.performed_by, row.completed) == (Activity.DATA_EXPORT, cast.alice.email, True)
    assert row.description == "Security audit as CSV (all)"


def test_what_is_filtered_and_nothing_else(cast: Cast, send: Send) -> None:
    db.write(make_rows, cast.partner_a.id, 30)
    lines = read(send, cast, "?activity=Sign-in&status=failed&user=person2&account=&from=&to=&before=1-1")
    assert [line["Description"] for line in lines] == ["What was done, 5"]
    (row, *_) = db.read(reading.page, cast.actor("alice"), AuditQuery()).rows
    assert row.description == "Security audit as CSV (activity Sign-in, status failed, user person2)"
    assert read(send, cast, "?account=nobody-has-this-name") == []


def test_instants_are_exact_and_in_the_partners_zone(cast: Cast, send: Send) -> None:
    db.write(record, cast.actor("alice"), Activity.SETTINGS_CHANGED, "x")
    (line,) = read(send, cast)
    (_, row) = db.read(reading.page, cast.actor("alice"), AuditQuery()).rows
    assert line["Date (UTC)"] == f"{row.made_at:%Y-%m-%dT%H:%M:%S.%f}Z"
    assert line["Date"] == f"{row.made_at:%Y-%m-%d %H:%M:%S}+0000"


def test_no_cell_is_a_formula_and_every_sign_comes_through(cast: Cast, send: Send) -> None:
    for words in ("=cmd|' /C calc'!A0", "-2+3", 'a "b", c\r\nd', "Ünïcødé 日本"):
        db.write(record, cast.actor("alice"), Activity.SETTINGS_CHANGED, words, account=(None, words))
    told = [line["Description"] for line in read(send, cast)]
    assert told == ["Ünïcødé 日本", 'a "b", c\r\nd', "'-2+3", "'=cmd|' /C calc'!A0"]


def test_rows_that_come_while_it_is_read_do_not_come_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "EXPORTED_AT_ONCE", 4)
    alice = cast.actor("alice")
    db.write(make_rows, cast.partner_a.id, 10)
    begun = db.write(reading.begin_export, alice, AuditQuery())
    found, last = [], None
    while rows := db.read(reading.export_part, alice, begun, last):
        found += rows
        last = rows[-1]
        db.write(make_rows, cast.partner_a.id, 3)
    assert [row.number for row in found] == list(range(10, 0, -1))


def test_memory_stays_the_same_however_long_the_file(cast: Cast) -> None:
    alice = cast.actor("alice")
    db.write(make_rows, cast.partner_a.id, 20_000)

    def walk() -> int:
        begun, last, size = db.write(reading.begin_export, alice, AuditQuery()), None, 0
        while rows := db.read(reading.export_part, alice, begun, last):
            size += len(reading.as_csv(rows, alice.time_zone))
            last = rows[-1]
        return size

    walk()
    tracemalloc.start()
    size = walk()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 2_000_000
    assert peak < 4_000_000 < 20_000 * 250


def test_the_loop_stays_free_while_a_file_is_made(cast: Cast) -> None:
    db.write(make_rows, cast.partner_a.id, 5_000)
    alice = cast.actor("alice")

    async def scene() -> float:
        begun, last, worst = await db.work(reading.begin_export, alice, AuditQuery()), None, 0.0
        clock = asyncio.get_running_loop().time
        done = asyncio.Event()

        async def watch() -> None:
            nonlocal worst
            while not done.is_set():
                then = clock()
                await asyncio.sleep(0.005)
                worst = max(worst, clock() - then - 0.005)

        watching = asyncio.create_task(watch())
        while rows := await db.look(reading.export_part, alice, begun, last):
            await asyncio.to_thread(reading.as_csv, rows, "UTC")
            last = rows[-1]
        done.set()
        await watching
        return worst

    assert asyncio.run(scene()) < 0.5
