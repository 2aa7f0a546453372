"""Who learns: everybody of a partner, and operators. Everybody has a progress of their own."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select
from starlette.applications import Starlette

from portal_app import clock, db
from portal_app.auth.actor import NOBODY, Actor, system
from portal_app.errors import Denied, NotFound
from portal_app.learning import routes, service
from portal_app.learning.query import HubQuery
from portal_app.models import Certificate, ContentPage, ContentState, LessonProgress, User
from portal_app.shell import http
from tests import factories
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write
from tests.security.pipeline import Pipeline, name_of, play

ACTS = (
    (service.course, "tea"),
    (service.lesson, "tea", "water"),
    (service.begin, "tea", "water"),
    (service.note, "tea", "water"),
    (service.complete, "tea", "water"),
    (service.claim, "tea"),
    (service.certificate, "LH-1"),
    (service.hub, HubQuery()),
)


def _nobodies(cast: Cast) -> list[Actor]:
    return [NOBODY, system(cast.partner_a.id), cast.actor("dave")]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act[0].__name__)
def test_customers_programs_and_strangers_get_nothing(cast: Cast, courses: Write, act: Any) -> None:
    for actor in _nobodies(cast):
        with pytest.raises(Denied):
            db.write(act[0], actor, *act[1:])
    assert db.read(lambda session: session.exec(select(LessonProgress)).all()) == []


@pytest.mark.parametrize("who", ["alice", "nina", "carol", "bob", "mallory", "olga"])
def test_everybody_of_a_partner_and_operators_learn(cast: Cast, courses: Write, who: str) -> None:
    """Whatever they may do else."""
    db.write(service.complete, cast.actor(who), "salt", "sea")
    found = db.read(service.hub, cast.actor(who), HubQuery())
    assert (found.completed, found.certificates, len(found.courses)) == (1, 1, 2)


def test_a_customers_page_is_refused_and_shows_nothing(cast: Cast, courses: Write) -> None:
    async def scene(made: Pipeline) -> None:
        for handler, path in (
            ("learning_state.load", "/learning"),
            ("course_state.load", "/learning/tea"),
            ("lesson_page_state.load", "/learning/tea/water"),
        ):
            answer = await made.tab(cookie_of(cast.dave), path=path).send(name_of(handler))
            assert not answer.ran
            assert "Boil" not in str(answer.deltas)
            assert "Tea" not in str(answer.deltas)

    play(scene)


def test_one_persons_progress_is_not_anothers(cast: Cast, courses: Write) -> None:
    db.write(service.complete, cast.actor("alice"), "salt", "sea")
    for other in ("bob", "mallory", "olga"):
        found = db.read(service.hub, cast.actor(other), HubQuery())
        assert (found.completed, found.in_progress, found.seconds, found.certificates) == (0, 0, 0, 0)


def _fetch(person: User | None, number: str) -> httpx.Response:
    cookie = {"Cookie": cookie_of(person)} if person else {}

    async def ask() -> httpx.Response:
        app = http.outermost(Starlette(routes=routes.routes))
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
            return await client.get(f"/learning/certificates/{number}.pdf", headers=cookie)

    return asyncio.run(ask())


def test_a_certificate_is_its_owners_alone(cast: Cast, courses: Write) -> None:
    number = db.write(service.complete, cast.actor("bob"), "salt", "sea").certificate
    own = _fetch(cast.bob, number)
    assert (own.status_code, own.headers["content-type"]) == (200, "application/pdf")
    assert own.content.startswith(b"%PDF")
    assert number in own.headers["content-disposition"]
    unknown = _fetch(cast.alice, "LH-2026-0000000000")
    for other in (cast.alice, cast.mallory, cast.olga):
        answer = _fetch(other, number)
        assert (answer.status_code, answer.content) == (404, unknown.content)
    for nobody in (cast.dave, cast.ivan, None):
        answer = _fetch(nobody, number)
        assert (answer.status_code, answer.headers["location"]) == (303, "/learning")


@pytest.mark.parametrize("number", ["", "x", "../../etc/passwd", "9" * 400, "LH-2026-%00", "' OR 1=1"])
def test_a_number_that_is_none_is_not_found(cast: Cast, courses: Write, number: str) -> None:
    assert _fetch(cast.alice, number).status_code in {400, 404}


def _written(session: Session, kind: str, slug: str, section: str, **given: Any) -> None:
    about = {"title": slug, "created_at": clock.now(), "changed_at": clock.now(), "state": ContentState.PUBLISHED}
    factories.save(session, ContentPage(kind=kind, slug=slug, section=section, **about | given))


def test_drafts_and_what_is_to_come_are_not_there(cast: Cast, courses: Write) -> None:
    later = clock.now().replace(year=clock.now().year + 1)
    db.write(_written, "course", "secret", "", state=ContentState.DRAFT)
    db.write(_written, "lesson", "secret--one", "secret")
    db.write(_written, "course", "coming", "", published_at=later)
    db.write(_written, "lesson", "coming--one", "coming")
    db.write(_written, "lesson", "tea--draft", "tea", state=ContentState.DRAFT)
    for who in ("alice", "olga"):
        found = db.read(service.hub, cast.actor(who), HubQuery())
        assert {course.slug for course, _ in found.courses} == {"tea", "salt"}
        for course, lesson in (("secret", "one"), ("coming", "one"), ("tea", "draft"), ("tea", "sea"), ("no", "no")):
            for act in (service.lesson, service.begin, service.note, service.complete):
                with pytest.raises(NotFound):
                    db.write(act, cast.actor(who), course, lesson)
    with pytest.raises(NotFound):
        db.write(service.claim, cast.actor("alice"), "secret")
    assert db.read(lambda session: session.exec(select(Certificate)).all()) == []


def test_what_operators_publish_is_there(cast: Cast, courses: Write) -> None:
    db.write(_written, "course", "house", "Own", title="Our house")
    assert len(db.read(service.hub, cast.actor("bob"), HubQuery()).courses) == 2
    db.write(_written, "lesson", "house--door", "house", title="The door", body="Knock.")
    assert db.read(service.course, cast.actor("bob"), "house").lessons[0].title == "The door"
    assert "<p>Knock.</p>" in db.read(service.lesson, cast.actor("bob"), "house", "door").html
