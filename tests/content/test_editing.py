"""Operators' pages: for operators only, checked, published in time, over delivered ones and back; all of it audited."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlmodel import Session, select

from portal_app import clock, db
from portal_app.content import forms, library, service, uploads
from portal_app.content.forms import Wanted
from portal_app.content.query import ContentQuery
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import AuditEvent, ContentFile
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write, page
from tests.security.pipeline import Pipeline, name_of, play

ARTICLE = Wanted(kind="article", slug="card", section="solutions", title="A card", body="Text.", state="published")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.fixture
def made(cast: Cast) -> int:
    return db.write(service.add, cast.actor("olga"), ARTICLE)


def _titles() -> list[str]:
    return [one.title for one in db.read(library.pages, "article")]


def _listed(cast: Cast, **asked: str) -> list[tuple[str, str]]:
    query = ContentQuery.from_address({"sort": "title"} | asked)
    return [(row.page.title, row.standing) for row in db.read(service.list_page, cast.actor("olga"), query).rows]


@pytest.mark.parametrize("who", ["alice", "nina", "dave", "sam"])
def test_for_operators_only(cast: Cast, made: int, who: str) -> None:
    actor = cast.actor(who)
    query = ContentQuery.from_address({})
    for act in (
        lambda s: service.list_page(s, actor, query),
        lambda s: service.editing(s, actor, made),
        lambda s: service.over(s, actor, "article", "card"),
        lambda s: service.add(s, actor, replace(ARTICLE, slug="other")),
        lambda s: service.change(s, actor, made, 1, ARTICLE),
        lambda s: service.remove(s, actor, made, 1),
        lambda s: service.files(s, actor, made),
        lambda s: service.put_file(s, actor, made, "a.png", PNG),
        lambda s: service.remove_file(s, actor, made, "a.png"),
    ):
        with pytest.raises(Denied):
            db.write(act)
    assert db.read(lambda session: session.exec(select(ContentFile)).all()) == []


@pytest.mark.parametrize("who", ["alice", "dave"])
def test_the_pages_are_for_operators_only(cast: Cast, who: str) -> None:
    async def scene(made: Pipeline) -> None:
        for ending in ("content_state.load", "content_editor_state.load", "content_editor_state.remove"):
            assert not (await made.tab(cookie_of(cast.people[who])).send(name_of(ending))).ran

    play(scene)


def test_a_draft_is_seen_by_nobody_until_it_is_published(cast: Cast) -> None:
    olga = cast.actor("olga")
    number = db.write(service.add, olga, replace(ARTICLE, state="draft"))
    assert _titles() == [] or "A card" not in _titles()
    assert ("A card", "draft") in _listed(cast, standing="draft")
    db.write(service.change, olga, number, 1, ARTICLE)
    assert "A card" in _titles()
    db.write(service.change, olga, number, 2, replace(ARTICLE, state="draft"))
    assert "A card" not in _titles()


def test_a_scheduled_page_comes_out_by_itself_and_the_delivered_one_stays_until_then(cast: Cast, write: Write) -> None:
    write("articles/solutions/card.md", page("The delivered one"))
    later = clock.now() + timedelta(hours=2)
    db.write(service.add, cast.actor("olga"), replace(ARTICLE, publish_on=f"{later:%Y-%m-%dT%H:%M}"))
    assert _titles() == ["The delivered one"]
    assert _listed(cast) == [("A card", "scheduled")]
    with time_machine.travel(later + timedelta(minutes=1)):
        assert _titles() == ["A card"]
        assert _listed(cast) == [("A card", "published")]


def test_over_a_delivered_page_and_back_to_it(cast: Cast, write: Write) -> None:
    olga = cast.actor("olga")
    write("articles/solutions/card.md", page("The delivered one", "Ours."))
    found = db.read(service.over, olga, "article", "card")
    assert (found.page.body.strip(), found.page_id, found.over) == ("Ours.", 0, True)
    number = db.write(service.add, olga, ARTICLE)
    assert _titles() == ["A card"]
    with pytest.raises(Conflict):
        db.read(service.over, olga, "article", "card")
    assert db.write(service.remove, olga, number, 1) == "A card"
    assert _titles() == ["The delivered one"]


def test_who_saves_over_a_newer_one_is_told(cast: Cast, made: int) -> None:
    olga = cast.actor("olga")
    db.write(service.change, olga, made, 1, replace(ARTICLE, title="Newer"))
    for act in (
        lambda s: service.change(s, olga, made, 1, replace(ARTICLE, title="Mine")),
        lambda s: service.remove(s, olga, made, 1),
    ):
        with pytest.raises(Conflict, match=r"olga@people\.example has saved this page"):
            db.write(act)
    assert db.read(service.editing, olga, made).page.title == "Newer"


def test_a_name_is_there_once_for_each_kind(cast: Cast, made: int) -> None:
    with pytest.raises(Conflict):
        db.write(service.add, cast.actor("olga"), ARTICLE)
    db.write(service.add, cast.actor("olga"), replace(ARTICLE, kind="news"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "page"),
        ("slug", "../etc"),
        ("slug", "Upper"),
        ("slug", "a--b"),
        ("slug", "x" * 81),
        ("section", "nowhere"),
        ("title", " "),
        ("title", "x" * 200),
        ("summary", "x" * 401),
        ("position", "-1"),
        ("position", "1e3"),
        ("body", "x" * (forms.LONGEST_BODY + 1)),
        ("body", "a\x00b"),
        ("state", "secret"),
        ("publish_on", "soon"),
    ],
)
def test_what_can_not_be_taken_is_told_by_its_field(cast: Cast, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        db.write(service.add, cast.actor("olga"), replace(ARTICLE, **{field: value}))
    assert field in refusal.value.fields


def test_a_lesson_needs_its_course(cast: Cast, write: Write) -> None:
    lesson = replace(ARTICLE, kind="lesson", section="start", slug="first")
    with pytest.raises(Invalid) as refusal:
        db.write(service.add, cast.actor("olga"), lesson)
    assert "section" in refusal.value.fields
    write("courses/start/course.md", page("Start"))
    db.write(service.add, cast.actor("olga"), lesson)
    assert [one.slug for one in db.read(library.pages, "lesson", "start")] == ["start--first"]


def test_the_list_finds_by_kind_standing_and_words(cast: Cast, made: int, write: Write) -> None:
    write("news/one.md", page("One"))
    assert _listed(cast) == [("A card", "published"), ("One", "delivered")]
    assert _listed(cast, kind="news") == [("One", "delivered")]
    assert _listed(cast, search="CARD") == [("A card", "published")]
    assert _listed(cast, standing="draft") == []


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.exe", b"MZ", "not taken"),
        ("a.svg", b"<svg/>", "not taken"),
        ("a.html", b"<p>", "not taken"),
        ("a", b"x", "not taken"),
        ("a.png", b"<script>", "no png file"),
        ("a.pdf", b"PK\x03\x04", "no pdf file"),
        ("a.csv", b"\xff\xfe", "no text"),
        ("a.png", b"", "empty"),
        ("a.zip", b"PK" + b"\x00" * uploads.MOST_BYTES, "too large"),
        ("..", PNG, "letters, digits"),
        ("\u00e9.png", PNG, "letters, digits"),
    ],
)
def test_files_that_are_not_taken(cast: Cast, made: int, name: str, data: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        db.write(service.put_file, cast.actor("olga"), made, name, data)
    assert db.read(service.files, cast.actor("olga"), made) == []


def test_files_are_kept_replaced_and_deleted(cast: Cast, made: int) -> None:
    olga = cast.actor("olga")
    assert db.write(service.put_file, olga, made, "C:\\x\\My list.png", PNG) == "My-list.png"
    db.write(service.put_file, olga, made, "My-list.png", PNG + b"more")
    (file,) = db.read(service.files, olga, made)
    assert (file.size_bytes, file.media_type) == (len(PNG) + 4, "image/png")
    assert db.read(library.file, "article", "card", "My-list.png").read_bytes() == PNG + b"more"
    db.write(service.remove_file, olga, made, "My-list.png")
    for act in (
        lambda s: service.remove_file(s, olga, made, "My-list.png"),
        lambda s: library.file(s, "article", "card", "My-list.png"),
    ):
        with pytest.raises(NotFound):
            db.write(act)


def test_a_page_has_only_so_many_files(cast: Cast, made: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_FILES", 1)
    db.write(service.put_file, cast.actor("olga"), made, "a.png", PNG)
    db.write(service.put_file, cast.actor("olga"), made, "a.png", PNG)
    with pytest.raises(Invalid, match="at most 1"):
        db.write(service.put_file, cast.actor("olga"), made, "b.png", PNG)


def test_every_act_is_audited(cast: Cast, made: int) -> None:
    olga = cast.actor("olga")
    db.write(service.change, olga, made, 1, replace(ARTICLE, state="draft"))
    db.write(service.put_file, olga, made, "a.png", PNG)
    db.write(service.remove_file, olga, made, "a.png")
    db.write(service.remove, olga, made, 2)
    told = [row.description.partition(": ")[2] for row in db.read(_audited)]
    assert told == [
        "added as published",
        "published before, now draft",
        "file a.png added",
        "file a.png deleted",
        "deleted",
    ]
    assert {row.performed_by for row in db.read(_audited)} == {"olga@people.example"}


def _audited(session: Session) -> list[AuditEvent]:
    return list(session.exec(select(AuditEvent).where(AuditEvent.activity == "Content").order_by(AuditEvent.id)).all())


def test_the_editor_saves_and_keeps_what_was_typed_beside_its_faults(cast: Cast) -> None:
    form = {"kind": "article", "slug": "card", "section": "solutions", "title": "", "body": "Text.", "state": "draft"}

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.olga), "/operator/content/new")
        await tab.send(name_of("content_editor_state.load"))
        answer = await tab.send(name_of("content_editor_state.save"), {"form": form})
        assert "title" in answer.var("errors")
        answer = await tab.send(name_of("content_editor_state.save"), {"form": form | {"title": "A card"}})
        assert answer.redirects[0].startswith("/operator/content/")
        await tab.send(name_of("content_editor_state.note_body"), {"body": "<b>x</b> **y**"})
        answer = await tab.send(name_of("content_editor_state.show_preview"))
        assert answer.var("preview") == "<p>&lt;b&gt;x&lt;/b&gt; <strong>y</strong></p>\n"

    play(scene)


def test_a_page_that_is_not_there_says_so(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        for wanted in ("999", "x", "new?kind=article&name=none"):
            tab = made.tab(cookie_of(cast.olga), f"/operator/content/{wanted}")
            assert (await tab.send(name_of("content_editor_state.load"))).var("phase") == "missing"

    play(scene)
