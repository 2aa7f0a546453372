"""POST /api/v1/backup-runs: the answers, and bad input of every kind."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from portal_app import clock, db
from portal_app.api import problems, runs, throttle
from portal_app.backups.intake import RunReport
from portal_app.models import BackupRun, BackupTask
from tests.api.conftest import URL, Client, bearer
from tests.backups.conftest import Cast, report

LEFT_OUT = object()


def body(cast: Cast, **given: Any) -> dict[str, Any]:
    made = report(cast).model_dump(mode="json") | given
    return {name: value for name, value in made.items() if value is not LEFT_OUT}


@pytest.fixture
def post(client: Client, token: str) -> Any:
    def do(content: Any = None, **given: Any) -> Any:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = bearer(token) | {"Content-Type": "application/json"} | given
        return client.post(URL, content=raw, headers=headers)

    return do


def runs_kept() -> int:
    return db.read(lambda session: len(session.exec(select(BackupRun)).all()))


def test_a_report_is_recorded_and_repeated_with_the_same_answer(post: Any, cast: Cast) -> None:
    same = body(cast)
    first, second = post(same), post(same)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["account_id"] == cast.account
    assert runs_kept() == 1


def test_the_same_report_at_one_moment_is_recorded_once(post: Any, cast: Cast) -> None:
    same = body(cast)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: post(same), range(8)))
    assert sorted(one.status_code for one in told) == [200] * 7 + [201]
    assert len({one.content for one in told}) == 1


def test_the_same_run_with_other_content_is_a_conflict(post: Any, cast: Cast) -> None:
    same = body(cast)
    post(same)
    told = post(same | {"outcome": "failed"})
    assert (told.status_code, told.headers["content-type"]) == (409, problems.MEDIA_TYPE)


def later(**span: float) -> str:
    return (clock.now() + timedelta(**span)).isoformat()


BAD = [
    ("account", 0, "number or its email"),
    ("account", -1, "number or its email"),
    ("account", 2**63, "number or its email"),
    ("account", True, "number or its email"),
    ("account", None, "number or its email"),
    ("account", "", "number or its email"),
    ("account", "x" * 10_000, "number or its email"),
    ("account", "a\x00@example.com", "number or its email"),
    ("account", "\ud800@example.com", "number or its email"),
    ("task", "", "empty"),
    ("task", "   ", "empty"),
    ("task", "x" * 10_000, "at most 120"),
    ("task", "a\x07b", "control"),
    ("task", "\u202egnp.exe", "control"),
    ("task", LEFT_OUT, "Give this value"),
    ("task", 5, "text"),
    ("run", "", "empty"),
    ("run", "x" * 121, "at most 120 characters; this has 121"),
    ("run", "\ud83d", "control"),
    ("name", "x" * 121, "at most 120"),
    ("name", "", "empty"),
    ("service", "carrier pigeon", "Use one of"),
    ("outcome", "great", "Use one of"),
    ("outcome", LEFT_OUT, "Give this value"),
    ("added_bytes", -1, "negative"),
    ("added_bytes", 2**60 + 1, "larger"),
    ("added_bytes", 10**3000, "larger"),
    ("added_bytes", 1.5, "whole"),
    ("added_bytes", "7", "whole"),
    ("added_bytes", True, "whole"),
    ("added_bytes", float("nan"), "whole"),
    ("size_bytes", -1, "negative"),
    ("entities", -1, "negative"),
    ("entities", 2**31, "larger"),
    ("entities_failed", -1, "negative"),
    ("started", "2012-01-01T00:00:00Z", "ten years"),
    ("started", "0001-01-01T00:00:00+14:00", "ten years"),
    ("started", "yesterday", "time zone"),
    ("started", "2026-01-01T00:00:00", "time zone"),
    ("started", 1_700_000_000, "time zone"),
    ("started", LEFT_OUT, "Give this value"),
    ("finished", "9999-12-31T23:59:59-14:00", "future"),
    ("finished", "2020-01-01T00:00:00Z", "before it began"),
    ("message", 5, "text"),
    ("message", None, "text"),
]


@pytest.mark.parametrize(("field", "value", "says"), BAD, ids=[f"{f}-{str(v)[:12]!r}" for f, v, _ in BAD])
def test_bad_input_is_named_beside_its_field(post: Any, cast: Cast, field: str, value: object, says: str) -> None:
    told = post(body(cast, **{field: value}))
    assert (told.status_code, told.headers["content-type"]) == (422, problems.MEDIA_TYPE)
    assert [error["field"] for error in told.json()["errors"]] == [field]
    assert says in told.json()["errors"][0]["detail"]
    assert runs_kept() == 0


def test_the_future_begins_after_five_minutes(post: Any, cast: Cast) -> None:
    assert post(body(cast, finished=later(minutes=6))).status_code == 422
    assert post(body(cast, finished=later(minutes=4))).status_code == 201


def test_all_faults_are_told_at_once(post: Any, cast: Cast) -> None:
    told = post(body(cast, task="", run=LEFT_OUT, added_bytes=-1)).json()["errors"]
    assert {error["field"] for error in told} == {"task", "run", "added_bytes"}


@pytest.mark.parametrize("name", ["sentence", "self", "x" * 5000, "\ud800", "<script>alert(1)</script>"])
def test_a_field_we_dont_know_is_refused_and_not_repeated(post: Any, cast: Cast, name: str) -> None:
    told = post(body(cast) | {name: 1})
    assert told.status_code == 422
    assert [error["field"] for error in told.json()["errors"]] == ["body"]
    assert "script" not in told.text


def test_thousands_of_unknown_fields_make_a_short_answer(post: Any, cast: Cast) -> None:
    told = post(body(cast) | {f"f{number}": 1 for number in range(4000)})
    assert (told.status_code, len(told.content) < 1000) == (422, True)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 30_000, 400),
        (b'{"account": 1' + b"0" * 5000 + b"}", 400),
        (b"[]", 422),
        (b"null", 422),
        (b"7", 422),
        (b'"text"', 422),
        (b"{}", 422),
    ],
)
def test_a_body_that_is_no_report_gets_a_problem(post: Any, raw: bytes, status: int) -> None:
    told = post(raw)
    assert (told.status_code, told.headers["content-type"]) == (status, problems.MEDIA_TYPE)
    assert "Traceback" not in told.text
    assert told.json()["status"] == status


def test_another_content_type_is_refused(post: Any, cast: Cast) -> None:
    assert post(body(cast), **{"Content-Type": "text/plain"}).status_code == 422
    assert runs_kept() == 0


def test_a_large_body_is_refused_declared_or_not(client: Client, token: str, cast: Cast) -> None:
    large = json.dumps(body(cast, message="x" * 4_200_000)).encode()

    async def in_pieces() -> Any:
        for at in range(0, len(large), 60_000):
            yield large[at : at + 60_000]

    for content in (large, in_pieces()):
        told = client.post(URL, content=content, headers=bearer(token) | {"Content-Type": "application/json"})
        assert (told.status_code, told.headers["content-type"]) == (413, problems.MEDIA_TYPE)
        assert "4,096 kB" in told.json()["detail"]
    assert runs_kept() == 0


def test_names_of_every_script_are_kept_as_typed(post: Any, cast: Cast) -> None:
    assert post(body(cast, task="ملفات 📦 المكتب", name="קבצים")).status_code == 201
    assert db.read(lambda session: session.exec(select(BackupTask.key)).one()) == "ملفات 📦 المكتب"


def test_a_message_is_cleaned_and_cut(post: Any, cast: Cast) -> None:
    assert post(body(cast, message="two\nlines\x00\x1b[31m \ud800" + "x" * 600)).status_code == 201
    message = db.read(lambda session: session.exec(select(BackupRun.message)).one())
    assert message.startswith("two lines[31m xxx")
    assert len(message) == 500


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    data=st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
            for name in RunReport.model_fields
        },
    )
)
def test_no_body_breaks_the_api(post: Any, cast: Cast, data: dict[str, Any]) -> None:
    throttle.reset()
    assert post(body(cast) | data).status_code in {200, 201, 404, 409, 422}


def test_a_defect_inside_shows_a_reference_and_nothing_else(
    post: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("password=hunter2 at /srv/portal")

    monkeypatch.setattr(runs, "record_run", broken)
    told = post(body(cast))
    assert (told.status_code, told.headers["content-type"]) == (500, problems.MEDIA_TYPE)
    assert "hunter2" not in told.text
    reference = told.json()["detail"].rstrip(".").rpartition(" ")[2]
    assert reference in caplog.text


def test_a_busy_database_asks_to_come_again(post: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_args: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    monkeypatch.setattr(runs, "record_run", busy)
    told = post(body(cast))
    assert (told.status_code, told.headers["retry-after"]) == (503, "5")
    assert "locked" not in told.text


def test_other_addresses_and_methods_get_problems(client: Client) -> None:
    for told, status in ((client.get("/api/v1/none"), 404), (client.get(URL), 405), (client.get("/api/"), 404)):
        assert told.status_code == status
    assert client.get(URL).headers["content-type"] == problems.MEDIA_TYPE
