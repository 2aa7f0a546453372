"""News: newest first, each person's own marks, and a number that costs no question per click."""

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.errors import Denied, NotFound
from portal_app.models import NewsRead
from portal_app.news import service
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write
from tests.security.pipeline import Pipeline, name_of, play


@pytest.fixture(autouse=True)
def _posts(write: Write) -> None:
    for day, slug in ((1, "old"), (3, "new"), (2, "middle")):
        write(f"news/{slug}.md", f"---\ntitle: The {slug}\npublished: 2026-01-0{day}\n---\nText.")
    write("news/later.md", "---\ntitle: Later\npublished: 2999-01-01\n---\nText.")


def _unread(cast: Cast, who: str) -> list[str]:
    return [post.page.slug for post in db.read(service.posts, cast.actor(who)) if post.unread]


def test_newest_first_and_nothing_before_its_time(cast: Cast) -> None:
    assert [post.page.slug for post in db.read(service.posts, cast.actor("alice"))] == ["new", "middle", "old"]
    with pytest.raises(NotFound):
        db.read(service.post, cast.actor("alice"), "later")


def test_to_read_one_marks_it_for_oneself_only(cast: Cast) -> None:
    for _ in range(2):
        db.write(service.note_read, cast.actor("alice"), "middle")
    assert _unread(cast, "alice") == ["new", "old"]
    assert _unread(cast, "bob") == ["new", "middle", "old"]
    assert db.read(service.unread, cast.actor("alice")) == 2


def test_all_at_once(cast: Cast) -> None:
    db.write(service.note_all_read, cast.actor("olga"))
    db.write(service.note_all_read, cast.actor("olga"))
    assert _unread(cast, "olga") == []
    assert db.read(lambda session: len(session.exec(select(NewsRead)).all())) == 3


def test_customers_read_nothing_and_have_no_number(cast: Cast) -> None:
    dave = cast.actor("dave")
    assert db.read(service.unread, dave) == 0
    for act in (service.posts, service.note_all_read, lambda s, a: service.note_read(s, a, "new")):
        with pytest.raises(Denied):
            db.write(act, dave)
    assert db.read(lambda session: session.exec(select(NewsRead)).all()) == []


def test_what_is_not_there_can_not_be_marked(cast: Cast) -> None:
    with pytest.raises(NotFound):
        db.write(service.note_read, cast.actor("alice"), "later")


def test_the_number_follows_what_was_read(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        cookie = cookie_of(cast.alice)
        tab = made.tab(cookie, "/news")
        answer = await tab.send(name_of("news_state.load"))
        assert answer.var("unread") == 3
        assert [line["unread"] for line in answer.var("lines")] == [True] * 3
        post = made.tab(cookie, "/news/new", token=tab.token)
        answer = await post.send(name_of("post_state.load"))
        assert (answer.var("title"), answer.var("unread")) == ("The new", 2)
        assert db.read(service.unread, cast.actor("alice")) == 2
        answer = await tab.send(name_of("news_state.read_all"))
        assert answer.var("unread") == 0
        assert [line["unread"] for line in answer.var("lines")] == [False] * 3

    play(scene)


def test_a_click_asks_for_the_number_only_once_in_a_while(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def unread(session: Session, actor: object) -> int:
        asked.append(1)
        return 1

    monkeypatch.setattr(service, "unread", unread)

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice), "/news")
        for _ in range(5):
            await tab.send(name_of("news_state.load"))

    play(scene)
    assert len(asked) == 1


def test_a_missing_post_says_so(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        answer = await made.tab(cookie_of(cast.alice), "/news/none").send(name_of("post_state.load"))
        assert answer.var("phase") == "missing"

    play(scene)
