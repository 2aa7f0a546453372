"""The rules of learning: what a person sees of the courses, how their time counts, when a certificate is issued."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Update, case, update
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.content import library, markdown, search
from portal_app.content.rows import Page
from portal_app.errors import Conflict, NotFound
from portal_app.learning import catalogue, repository
from portal_app.learning.captions import said_in
from portal_app.learning.catalogue import Outline
from portal_app.learning.query import COMPLETED, STARTED, HubQuery
from portal_app.learning.rows import Course, Hub, Lesson, LessonState, OpenLesson, Video
from portal_app.models import Certificate, ContentKind, LessonProgress, User

# Who does nothing for longer may have gone for coffee: no more counts between two events of an open lesson.
LONGEST_PAUSE = timedelta(minutes=5)
# In seconds; no video of ours is a day long.
_LONGEST_VIDEO = 86_400
_MOST_FOUND = 200
NO_CERTIFICATE = "There is no such certificate."


def hub(session: Session, actor: Actor, query: HubQuery) -> Hub:
    """The courses that are asked for, and the progress in all."""
    user_id = _learner(actor)
    courses = _progressed(session, user_id, catalogue.outlines(session))
    open_ones = [course for course in courses if course.is_started and not course.is_completed]
    last = max(open_ones, key=lambda course: str(course.touched_at), default=None)
    return Hub(
        courses=tuple(_matching(session, _in_state(courses, query.state), query.search)),
        in_progress=len(open_ones),
        completed=sum(course.is_completed for course in courses),
        seconds=sum(row.spent_seconds for row in repository.progress(session, user_id)),
        certificates=len(repository.certificates(session, user_id)),
        current=last,
    )


def course(session: Session, actor: Actor, slug: str) -> Course:
    """One course. Raises NotFound."""
    user_id, outline = _learner(actor), catalogue.outline(session, slug)
    html = markdown.html(outline.course.body, ContentKind.COURSE, slug)
    return replace(_progressed(session, user_id, [outline])[0], html=html)


def lesson(session: Session, actor: Actor, course_slug: str, slug: str) -> OpenLesson:
    """One lesson with its text. Raises NotFound."""
    found, page = course(session, actor, course_slug), catalogue.lesson(session, course_slug, slug)
    at = next(n for n, one in enumerate(found.lessons) if one.slug == slug)
    text, file, title = catalogue.without_video(page.body)
    return OpenLesson(
        course=found,
        lesson=found.lessons[at],
        html=markdown.html(text, page.kind, page.slug),
        video=_video(session, page, file, title) if file else None,
        before=found.lessons[at - 1] if at else None,
        after=found.lessons[at + 1] if at + 1 < len(found.lessons) else None,
    )


def begin(session: Session, actor: Actor, course_slug: str, slug: str) -> None:
    """Note that the person has the lesson open: from now on its time counts. Raises NotFound."""
    catalogue.lesson(session, course_slug, slug)
    _touch(session, _learner(actor), course_slug, slug)


def note(session: Session, actor: Actor, course_slug: str, slug: str, position: float | None = None) -> None:
    """Count the time since the last event of an open lesson, and keep where its video is. Raises NotFound."""
    catalogue.lesson(session, course_slug, slug)
    user_id = _learner(actor)
    _held(session, user_id)
    spent = _time_since(session, user_id)
    _touch(session, user_id, course_slug, slug)
    kept = {} if position is None else {"position_seconds": whole_seconds(position)}
    counted = col(LessonProgress.spent_seconds) + spent
    session.execute(_of(user_id, course_slug, slug).values(spent_seconds=counted, **kept))


def complete(session: Session, actor: Actor, course_slug: str, slug: str) -> Course:
    """Mark the lesson as completed; with the last one the certificate is issued. Raises NotFound."""
    note(session, actor, course_slug, slug)
    now = clock.now()
    first = case((col(LessonProgress.completed_at).is_(None), now), else_=col(LessonProgress.completed_at))
    session.execute(_of(_learner(actor), course_slug, slug).values(completed_at=first))
    found = course(session, actor, course_slug)
    return claim(session, actor, course_slug) if found.is_learned and not found.certificate else found


def claim(session: Session, actor: Actor, slug: str) -> Course:
    """Issue the certificate of a course whose lessons are all completed: once. Raises NotFound, Conflict."""
    user_id = _learner(actor)
    _held(session, user_id)
    found = course(session, actor, slug)
    if not found.is_learned:
        raise Conflict("Complete all lessons of the course first.")
    if not found.certificate:
        _issue(session, actor, found)
    return course(session, actor, slug)


def certificate(session: Session, actor: Actor, number: str) -> Certificate:
    """The person's own certificate. Raises NotFound, for other people's too."""
    found = repository.certificate(session, _learner(actor), number)
    if found is None:
        raise NotFound(NO_CERTIFICATE)
    return found


def whole_seconds(position: float) -> int:
    """A place in a video as it is kept."""
    return int(min(max(position, 0), _LONGEST_VIDEO))


def _learner(actor: Actor) -> int:
    """The person's number. Raises Denied unless it is somebody of a partner, or an operator."""
    actor.require_reader()
    return actor.user_id or 0


def _progressed(session: Session, user_id: int, outlines: Sequence[Outline]) -> list[Course]:
    """The courses with what the person has done in them. What is stored of lessons that are gone is left aside."""
    rows = {(row.course, row.lesson): row for row in repository.progress(session, user_id)}
    numbers = {one.course: one.number for one in repository.certificates(session, user_id)}
    return [
        Course(
            slug=one.course.slug,
            section=one.course.section,
            title=one.course.title,
            summary=one.course.summary,
            lessons=tuple(_lesson(page, rows.get((one.course.slug, catalogue.name_of(page)))) for page in one.lessons),
            certificate=numbers.get(one.course.slug, ""),
        )
        for one in outlines
    ]


def _lesson(page: Page, row: LessonProgress | None) -> Lesson:
    found = Lesson(catalogue.name_of(page), page.title, page.summary)
    if row is None:
        return found
    state = LessonState.COMPLETED if row.completed_at else LessonState.STARTED
    return replace(found, state=state, position=row.position_seconds, touched_at=row.changed_at)


def _in_state(courses: list[Course], state: str) -> list[Course]:
    if state == STARTED:
        return [course for course in courses if course.is_started and not course.is_completed]
    return [course for course in courses if course.is_completed] if state == COMPLETED else courses


def _matching(session: Session, courses: list[Course], words: str) -> Iterator[tuple[Course, tuple[Lesson, ...]]]:
    """Those that hold the words themselves or in their lessons, each with the lessons that do."""
    if not words.strip():
        yield from ((course, ()) for course in courses)
        return
    hits = search.find(session, words, [ContentKind.COURSE, ContentKind.LESSON], limit=_MOST_FOUND)
    found = {(hit.kind, hit.slug) for hit in hits}
    for one in courses:
        lessons = tuple(x for x in one.lessons if (ContentKind.LESSON, f"{one.slug}--{x.slug}") in found)
        if lessons or (ContentKind.COURSE, one.slug) in found:
            yield one, lessons


def _video(session: Session, page: Page, file: str, title: str) -> Video:
    place, captions = f"/content/{page.kind}/{page.slug}", file.removesuffix(".webm") + ".vtt"
    try:
        said = said_in(library.file(session, page.kind, page.slug, captions))
    except NotFound:
        return Video(f"{place}/{file}", title)
    return Video(f"{place}/{file}", title, f"{place}/{captions}", said)


def _touch(session: Session, user_id: int, course_slug: str, slug: str) -> None:
    now = clock.now()
    new = {"user_id": user_id, "course": course_slug, "lesson": slug, "started_at": now, "changed_at": now}
    wanted = db.insert(session, LessonProgress).values(position_seconds=0, spent_seconds=0, **new)
    key = ["user_id", "course", "lesson"]
    session.execute(wanted.on_conflict_do_update(index_elements=key, set_={"changed_at": now}))


def _time_since(session: Session, user_id: int) -> int:
    """Whole seconds since the person's last event in any lesson: two that are open at once never count twice."""
    last = repository.last_seen(session, user_id)
    passed = clock.now() - last if last else timedelta(0)
    return int(min(max(passed, timedelta(0)), LONGEST_PAUSE).total_seconds())


def _of(user_id: int, course_slug: str, slug: str) -> Update:
    mine: Any = (LessonProgress.user_id == user_id, LessonProgress.course == course_slug, LessonProgress.lesson == slug)
    return update(LessonProgress).where(*mine)


def _held(session: Session, user_id: int) -> None:
    """One after the other, whatever tabs the person has open: the last two lessons may be completed at once."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update())


def _issue(session: Session, actor: Actor, found: Course) -> None:
    now = clock.now()
    given = {"user_id": actor.user_id, "course": found.slug, "title": found.title, "name": actor.name or actor.email}
    number = f"LH-{now:%Y}-{secrets.token_hex(5).upper()}"
    session.add(Certificate(number=number, issued_at=now, **given))
    session.flush()
    record(session, actor, Activity.LEARNING, f"Certificate {number} for the course {found.title}")
