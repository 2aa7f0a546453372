"""The upload over HTTP: whose, from where, how large."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from portal_app import db
from portal_app.content import service, upload_routes
from portal_app.shell import limits
from tests.cast import Cast, cookie_of
from tests.content.test_editing import ARTICLE, PNG

HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=upload_routes.routes), follow_redirects=False) as made:
        yield made


@pytest.fixture
def where(cast: Cast) -> str:
    return f"{upload_routes.UPLOAD}/{db.write(service.add, cast.actor('olga'), ARTICLE)}"


def _send(client: TestClient, where: str, cookie: str, data: bytes = PNG, name: str = "a.png", **headers: str):
    return client.post(where, files={"file": (name, data)}, headers=HERE | {"Cookie": cookie} | headers)


def test_an_operators_file_is_kept(client: TestClient, cast: Cast, where: str) -> None:
    answer = _send(client, where, cookie_of(cast.olga))
    assert (answer.status_code, answer.text) == (200, "")
    assert [one.name for one in db.read(service.files, cast.actor("olga"), int(where.rpartition("/")[2]))] == ["a.png"]


@pytest.mark.parametrize("who", ["alice", "dave", "sam", ""])
def test_nobody_elses(client: TestClient, cast: Cast, where: str, who: str) -> None:
    assert _send(client, where, cookie_of(cast.people[who]) if who else "").status_code == 403
    assert db.read(service.files, cast.actor("olga"), int(where.rpartition("/")[2])) == []


def test_not_from_another_site(client: TestClient, cast: Cast, where: str) -> None:
    answer = client.post(
        where, files={"file": ("a.png", PNG)}, headers={"Cookie": cookie_of(cast.olga), "Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_what_is_wrong_with_it_is_said(client: TestClient, cast: Cast, where: str, monkeypatch) -> None:
    cookie = cookie_of(cast.olga)
    assert "no png file" in _send(client, where, cookie, b"<script>").text
    assert _send(client, where, cookie, name="a.exe").status_code == 422
    assert client.post(where, headers=HERE | {"Cookie": cookie}).status_code == 422
    assert client.post(where, content=b"x", headers=HERE | {"Cookie": cookie}).status_code == 422
    for odd in ("999", "x", "9" * 30):
        assert _send(client, f"{upload_routes.UPLOAD}/{odd}", cookie).status_code == 422
    monkeypatch.setattr(upload_routes, "LARGEST_BODY", 100)
    assert _send(client, where, cookie, PNG + b"x" * 200).text == upload_routes.TOO_LARGE


def test_the_edge_lets_the_upload_through_and_nothing_beside_it() -> None:
    def too_large(path: str) -> bool:
        return limits.is_too_large({"type": "http", "path": path, "headers": [(b"content-length", b"20000000")]})

    assert not too_large(f"{upload_routes.UPLOAD}/7")
    assert too_large("/operator/content")
