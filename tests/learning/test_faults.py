"""What happens under people's feet: courses that go, lessons that are renamed, two tabs at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.content import folder
from portal_app.errors import NotFound
from portal_app.learning import service
from portal_app.learning.query import HubQuery
from portal_app.learning.rows import LessonState
from portal_app.models import AuditEvent, Certificate
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write, page
from tests.learning.conftest import Time
from tests.security.pipeline import Pipeline, name_of, play


def _gone(courses: Write, *names: str) -> None:
    for name in names:
        (folder.ROOT / name).unlink()
    folder.look_again()


def test_two_tabs_that_complete_at_once_make_one_certificate(office: Cast) -> None:
    """The two last lessons: each tab alone would see the other's as open still."""
    alice = office.actor("alice")
    together = threading.Barrier(2)

    def complete(lesson: str) -> None:
        together.wait(10)
        db.write(service.complete, alice, "tea", lesson)

    with ThreadPoolExecutor(2) as tabs:
        list(tabs.map(complete, ["water", "leaves"]))
    with ThreadPoolExecutor(2) as tabs:
        list(tabs.map(complete, ["leaves", "leaves"]))
    certificates = db.read(lambda session: session.exec(select(Certificate)).all())
    told = db.read(lambda session: session.exec(select(AuditEvent).where(AuditEvent.activity == "Learning")).all())
    assert (len(certificates), len(told)) == (1, 1)


def test_a_lesson_that_is_renamed_begins_anew_and_the_certificate_stays(
    alice: Actor, courses: Write, time: Time
) -> None:
    db.write(service.begin, alice, "salt", "sea")
    time.passes(seconds=50)
    number = db.write(service.complete, alice, "salt", "sea").certificate
    _gone(courses, "courses/salt/01-sea.md")
    courses("courses/salt/01-ocean.md", page("Ocean"))
    found = db.read(service.course, alice, "salt")
    assert [lesson.state for lesson in found.lessons] == [LessonState.NEW]
    assert (found.certificate, found.is_completed) == (number, True)
    hub = db.read(service.hub, alice, HubQuery())
    assert (hub.seconds, hub.certificates, hub.completed) == (50, 1, 1)
    assert db.write(service.complete, alice, "salt", "ocean").certificate == number


def test_a_lesson_that_was_the_last_open_one_goes_and_the_certificate_can_be_had(alice: Actor, courses: Write) -> None:
    db.write(service.complete, alice, "tea", "water")
    _gone(courses, "courses/tea/02-leaves.md")
    assert db.read(service.course, alice, "tea").is_completed
    assert db.write(service.claim, alice, "tea").certificate


def test_a_course_that_is_gone_keeps_its_certificate(alice: Actor, courses: Write) -> None:
    number = db.write(service.complete, alice, "salt", "sea").certificate
    _gone(courses, "courses/salt/course.md", "courses/salt/01-sea.md")
    with pytest.raises(NotFound):
        db.read(service.course, alice, "salt")
    assert db.read(service.certificate, alice, number).title == "Salt"
    assert db.read(service.hub, alice, HubQuery()).certificates == 1


def test_a_course_that_goes_while_somebody_is_in_it(cast: Cast, courses: Write) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice), path="/learning/tea/water")
        assert (await tab.send(name_of("lesson_page_state.load"))).var("title") == "Water"
        _gone(courses, "courses/tea/course.md")
        for handler, sent in (("watched", {"position": 3.0}), ("complete", {}), ("leave", {}), ("begin", {})):
            answer = await tab.send(name_of(f"lesson_page_state.{handler}"), sent)
            assert (answer.errors, answer.var("title")) == ([], None)
            assert answer.var("missing") in (True, None)
        answer = await tab.send(name_of("lesson_page_state.load"))
        assert (answer.errors, answer.var("missing")) == ([], True)

    play(scene)
    assert db.read(lambda session: session.exec(select(Certificate)).all()) == []
