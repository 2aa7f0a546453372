"""Files of content over HTTP: for whom, in which parts, and what a browser is told about them."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session
from starlette.applications import Starlette
from starlette.testclient import TestClient

from portal_app import clock, db
from portal_app.content import routes
from portal_app.models import ContentFile, ContentPage, ContentState
from portal_app.shell import http
from tests import factories
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write, page

VIDEO = bytes(range(256)) * 300


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(http.outermost(Starlette(routes=routes.routes)), follow_redirects=False) as made:
        yield made


@pytest.fixture(autouse=True)
def _folder(write: Write) -> None:
    write("courses/start/course.md", page("Start"))
    write("courses/start/01-first.md", page("First"))
    write("courses/start/clip.webm", VIDEO)
    write("news/one.md", page("One"))
    write("news/sheet.pdf", b"%PDF-")
    write("news/list.csv", "a,b\n")
    write("news/page.html", "<script>1</script>")


def _as(cast: Cast, name: str) -> dict[str, str]:
    return {"Cookie": cookie_of(cast.people[name])}


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("nina", 200), ("mallory", 200), ("olga", 200), ("dave", 403), ("sam", 303), ("", 303)],
)
def test_for_partners_people_and_operators(client: TestClient, cast: Cast, who: str, status: int) -> None:
    """Not for customers, people of a suspended partner, strangers."""
    answer = client.get("/content/lesson/start--first/clip.webm", headers=_as(cast, who) if who else {})
    assert answer.status_code == status
    if status == 200:
        assert answer.content == VIDEO
    else:
        assert VIDEO not in answer.content
    if status == 303:
        assert answer.headers["location"] == "/login?next=/content/lesson/start--first/clip.webm"


@pytest.mark.parametrize(
    ("asked", "status", "body_told"),
    [
        ("bytes=0-9", 206, (VIDEO[:10], "bytes 0-9/76800")),
        ("bytes=76700-", 206, (VIDEO[76700:], "bytes 76700-76799/76800")),
        ("bytes=-10", 206, (VIDEO[-10:], "bytes 76790-76799/76800")),
        ("bytes=0-999999", 206, (VIDEO, "bytes 0-76799/76800")),
        ("bytes=76800-", 416, (b"", "bytes */76800")),
        ("bytes=999999-9999999", 416, (b"", "bytes */76800")),
    ],
)
def test_a_part_of_it(client: TestClient, cast: Cast, asked: str, status: int, body_told: tuple[bytes, str]) -> None:
    body, told = body_told
    where = "/content/course/start/clip.webm"
    answer = client.get(where, headers=_as(cast, "alice") | {"Range": asked})
    assert answer.status_code == status
    assert answer.headers["content-range"] == told
    assert status == 416 or answer.content == body


@pytest.mark.parametrize("asked", ["bytes=9-1", "bytes=x", "lines=1-2", "bytes=" + ",".join(["0-1"] * 200)])
def test_a_part_that_makes_no_sense_is_refused_or_left_out(client: TestClient, cast: Cast, asked: str) -> None:
    answer = client.get("/content/course/start/clip.webm", headers=_as(cast, "alice") | {"Range": asked})
    assert answer.status_code in {200, 400, 416}


def test_who_has_it_already_gets_it_not_again(client: TestClient, cast: Cast, write: Write) -> None:
    where, who = "/content/course/start/clip.webm", _as(cast, "alice")
    first = client.get(where, headers=who)
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(where, headers=who | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(where, headers={"If-None-Match": first.headers["etag"]}).status_code == 303
    write("courses/start/clip.webm", b"another")
    assert client.get(where, headers=who | {"If-None-Match": first.headers["etag"]}).content == b"another"


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [("sheet.pdf", "application/pdf", "inline"), ("list.csv", "text/csv; charset=utf-8", "attachment"),
     ("page.html", "application/octet-stream", "attachment")],
)  # fmt: skip
def test_only_pictures_videos_and_pdfs_are_shown(
    client: TestClient,
    cast: Cast,
    name: str,
    kind: str,
    shown: str,
) -> None:
    answer = client.get(f"/content/news/one/{name}", headers=_as(cast, "alice"))
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'{shown}; filename="{name}"'


@pytest.mark.parametrize(
    "path",
    [
        "/content/news/one/../../../pyproject.toml",
        "/content/news/one/..%2f..%2fpyproject.toml",
        "/content/news/one/%2e%2e%2fsheet.pdf",
        "/content/news/one/%2fetc%2fpasswd",
        "/content/news/one/one.md",
        "/content/news/one/none.png",
        "/content/news/none/sheet.pdf",
        "/content/nothing/one/sheet.pdf",
        "/content/course/start/%00",
    ],
)
def test_nothing_else_is_reached(client: TestClient, cast: Cast, path: str) -> None:
    assert client.get(path, headers=_as(cast, "alice")).status_code == 404


def test_a_file_that_vanishes_is_not_found(client: TestClient, cast: Cast, write: Write) -> None:
    clip = write("courses/start/gone.webm", b"x")
    where = "/content/course/start/gone.webm"
    assert client.get(where, headers=_as(cast, "alice")).status_code == 200
    clip.unlink()
    assert client.get(where, headers=_as(cast, "alice")).status_code == 404


def test_files_of_the_database_in_parts_and_before_the_folders(client: TestClient, cast: Cast) -> None:
    db.write(_put, "one", "sheet.pdf", VIDEO)
    where, who = "/content/news/one/sheet.pdf", _as(cast, "alice")
    for _ in range(2):
        answer = client.get(where, headers=who | {"Range": "bytes=5-9"})
        assert (answer.status_code, answer.content) == (206, VIDEO[5:10])
    assert client.get("/content/news/one/list.csv", headers=who).text == "a,b\n", "the delivered ones stay"


def test_files_of_what_is_not_out_are_for_operators(client: TestClient, cast: Cast) -> None:
    db.write(_put, "draft", "a.png", b"x", state=ContentState.DRAFT)
    db.write(_put, "later", "a.png", b"y", published_at=clock.now() + timedelta(days=1))
    for slug in ("draft", "later"):
        where = f"/content/news/{slug}/a.png"
        assert client.get(where, headers=_as(cast, "alice")).status_code == 404
        assert client.get(where, headers=_as(cast, "olga")).status_code == 200


def _put(session: Session, slug: str, name: str, data: bytes, **given: object) -> None:
    now = clock.now()
    values = {"kind": "news", "slug": slug, "title": slug, "state": ContentState.PUBLISHED}
    over = factories.save(session, ContentPage(**values | {"created_at": now, "changed_at": now} | given))
    file = ContentFile(
        page_id=over.id,
        name=name,
        media_type="x/y",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        data=data,
        made_at=now,
    )
    factories.save(session, file)
