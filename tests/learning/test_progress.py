"""What is kept of a person's learning: state, place, time; where to go on; the certificate."""

import io
from typing import Any

import pytest
from pypdf import PdfReader
from sqlmodel import Session, select

from portal_app import db
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict
from portal_app.learning import service
from portal_app.learning.certificate import document
from portal_app.learning.query import COMPLETED, STARTED, HubQuery
from portal_app.learning.rows import Course, LessonState
from portal_app.models import AuditEvent, Certificate, LessonProgress
from tests.content.conftest import Write, page
from tests.learning.conftest import Time


def row(course: str = "tea", lesson: str = "water") -> LessonProgress:
    def find(session: Session) -> LessonProgress:
        wanted = select(LessonProgress).where(LessonProgress.course == course, LessonProgress.lesson == lesson)
        return session.exec(wanted).one()

    return db.read(find)


def seen(actor: Actor, course: str = "tea") -> Course:
    return db.read(service.course, actor, course)


def shown(actor: Actor, **asked: str) -> list[str]:
    return [course.slug for course, _ in db.read(service.hub, actor, HubQuery(**asked)).courses]


def audit() -> list[AuditEvent]:
    return db.read(lambda session: list(session.exec(select(AuditEvent).where(AuditEvent.activity == "Learning"))))


def test_a_lesson_is_new_then_in_progress_then_completed(alice: Actor) -> None:
    def states() -> list[LessonState]:
        return [lesson.state for lesson in seen(alice).lessons]

    assert states() == [LessonState.NEW, LessonState.NEW]
    db.write(service.begin, alice, "tea", "water")
    assert states() == [LessonState.STARTED, LessonState.NEW]
    db.write(service.complete, alice, "tea", "water")
    db.write(service.begin, alice, "tea", "water")
    assert states() == [LessonState.COMPLETED, LessonState.NEW]


def test_completing_again_keeps_the_first_day(alice: Actor, time: Time) -> None:
    db.write(service.complete, alice, "tea", "water")
    first = row().completed_at
    time.passes(days=3)
    db.write(service.complete, alice, "tea", "water")
    assert row().completed_at == first


@pytest.mark.parametrize(
    ("pause", "counted"), [({"seconds": 90}, 90), ({"minutes": 5}, 300), ({"hours": 7}, 300), ({"seconds": -60}, 0)]
)
def test_time_counts_between_events_up_to_the_longest_pause(
    alice: Actor, time: Time, pause: dict[str, float], counted: int
) -> None:
    """A clock that is set back takes nothing away."""
    db.write(service.begin, alice, "tea", "water")
    time.passes(**pause)
    db.write(service.note, alice, "tea", "water")
    assert row().spent_seconds == counted


def test_the_time_between_visits_does_not_count(alice: Actor, time: Time) -> None:
    db.write(service.begin, alice, "tea", "water")
    time.passes(seconds=40)
    db.write(service.note, alice, "tea", "water")
    time.passes(minutes=2)
    db.write(service.begin, alice, "tea", "leaves")
    time.passes(seconds=20)
    db.write(service.complete, alice, "tea", "leaves")
    assert (row().spent_seconds, row(lesson="leaves").spent_seconds) == (40, 20)
    assert db.read(service.hub, alice, HubQuery()).seconds == 60


def test_two_tabs_count_the_same_minute_once(alice: Actor, time: Time) -> None:
    for lesson in ("water", "leaves"):
        db.write(service.begin, alice, "tea", lesson)
    for _ in range(6):
        time.passes(seconds=10)
        for lesson in ("water", "leaves"):
            db.write(service.note, alice, "tea", lesson)
    assert db.read(service.hub, alice, HubQuery()).seconds == 60


@pytest.mark.parametrize(("sent", "kept"), [(12.9, 12), (0.0, 0), (-5.0, 0), (1e300, 86_400), (float(1 << 62), 86_400)])
def test_a_videos_place_is_kept(alice: Actor, sent: float, kept: int) -> None:
    db.write(service.note, alice, "tea", "water", sent)
    assert db.read(service.lesson, alice, "tea", "water").lesson.position == kept
    db.write(service.note, alice, "tea", "water")
    db.write(service.complete, alice, "tea", "water")
    assert db.read(service.lesson, alice, "tea", "water").lesson.position == kept


def test_resume_leads_to_where_one_stopped(alice: Actor, time: Time) -> None:
    assert seen(alice).next_lesson.slug == "water"
    db.write(service.begin, alice, "tea", "leaves")
    assert seen(alice).next_lesson.slug == "leaves"
    time.passes(minutes=1)
    db.write(service.complete, alice, "tea", "leaves")
    assert seen(alice).next_lesson.slug == "water"
    time.passes(minutes=1)
    db.write(service.complete, alice, "tea", "water")
    assert seen(alice).next_lesson.slug == "water"


def test_the_hub_goes_on_with_the_course_that_was_open_last(alice: Actor, courses: Write, time: Time) -> None:
    courses("courses/salt/02-lake.md", page("Lake"))
    for course, lesson in (("salt", "sea"), ("tea", "water"), ("salt", "lake")):
        time.passes(minutes=1)
        db.write(service.begin, alice, course, lesson)
    found = db.read(service.hub, alice, HubQuery())
    assert (found.current and found.current.slug, found.in_progress) == ("salt", 2)
    for lesson in ("sea", "lake"):
        db.write(service.complete, alice, "salt", lesson)
    found = db.read(service.hub, alice, HubQuery())
    assert (found.current and found.current.slug, found.in_progress, found.completed) == ("tea", 1, 1)


def test_the_search_and_the_states(alice: Actor) -> None:
    db.write(service.begin, alice, "tea", "water")
    db.write(service.complete, alice, "salt", "sea")
    assert shown(alice) == ["salt", "tea"]
    assert (shown(alice, state=STARTED), shown(alice, state=COMPLETED)) == (["tea"], ["salt"])
    assert (shown(alice, search="boil"), shown(alice, search="SALTY"), shown(alice, search="hot")) == (
        ["tea"],
        ["salt"],
        ["tea"],
    )
    assert (shown(alice, search="coffee"), shown(alice, search="boil", state=COMPLETED)) == ([], [])
    ((_, lessons),) = db.read(service.hub, alice, HubQuery(search="fresh")).courses
    assert [lesson.slug for lesson in lessons] == ["leaves"]


def test_the_video_stands_apart_with_what_is_said_in_it(alice: Actor) -> None:
    found = db.read(service.lesson, alice, "tea", "water")
    assert found.video
    assert (found.video.src, found.video.captions) == (
        "/content/lesson/tea--water/boil.webm",
        "/content/lesson/tea--water/boil.vtt",
    )
    assert (found.video.title, found.video.transcript) == ("Boiling", ("Hello there.", "Bye."))
    assert "<video" not in found.html
    assert "Boil it well." in found.html
    assert db.read(service.lesson, alice, "tea", "leaves").video is None


def test_the_last_lesson_gives_one_certificate_and_one_line_of_the_audit(alice: Actor, time: Time) -> None:
    assert db.write(service.complete, alice, "tea", "water").certificate == ""
    first = db.write(service.complete, alice, "tea", "leaves").certificate
    time.passes(days=40)
    assert db.write(service.complete, alice, "tea", "leaves").certificate == first
    assert db.write(service.claim, alice, "tea").certificate == first
    (row,) = audit()
    assert (row.user_id, row.partner_id, row.completed) == (alice.user_id, alice.partner_id, True)
    assert first in row.description


def test_a_certificate_before_the_end_is_refused(alice: Actor) -> None:
    db.write(service.complete, alice, "tea", "water")
    with pytest.raises(Conflict):
        db.write(service.claim, alice, "tea")
    assert audit() == []


@pytest.mark.parametrize(
    ("name", "zone", "words"),
    [
        ("Amélie Devereux", "America/New_York", ["Amélie Devereux", "2 March 2026"]),
        ("株式会社さくら", "Pacific/Auckland", ["株式会社さくら", "3 March 2026"]),
        ("#strong[Eve] $x$ \\ <b>", "UTC", ["#strong[Eve]", "<b>"]),
        ("Sunny 🍳 Side", "UTC", ["Sunny Side"]),
        ("W" * 120, "UTC", ["LH-2026-TEST"]),
    ],
)
def test_the_document_names_person_course_day_and_number(time: Time, name: str, zone: str, words: list[str]) -> None:
    given: Any = {"user_id": 1, "course": "tea", "title": "Tea & Water", "number": "LH-2026-TEST", "name": name}
    made = document(Certificate(issued_at=time.now.replace(hour=23), **given), zone)
    reader = PdfReader(io.BytesIO(made))
    text = " ".join(reader.pages[0].extract_text().split())
    assert len(reader.pages) == 1
    for word in (*words, "Tea & Water", "LH-2026-TEST", "Keelson Backup"):
        assert word in text
