"""The state of a lesson's page: its text, its video, and what the person does there."""

from dataclasses import replace

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.errors import NotFound
from portal_app.learning import service
from portal_app.learning.rows import Lesson, LessonState, OpenLesson
from portal_app.learning.words import LessonLine, line_of, names_in, place_of, position_text
from portal_app.shell.listing import assign
from portal_app.shell.state import NoticeState, enter


class LessonPageState(rx.State):
    """One lesson."""

    loading: bool = True
    missing: bool = False
    title: str = ""
    course: str = ""
    course_href: str = ""
    completed: bool = False
    certificate: str = ""
    html: str = ""
    video: str = ""
    video_title: str = ""
    captions: str = ""
    transcript: list[str] = []
    goes_on_at: str = ""
    lessons: list[LessonLine] = []
    before_href: str = ""
    after_href: str = ""

    _course: str = ""
    _lesson: str = ""

    @rx.event
    @guard.partners()
    async def load(self):
        """Show the lesson that the address names; its time counts from then on."""
        self.reset()
        actor = await enter(self)
        self._course, self._lesson = names_in(self.router.url.path)
        try:
            found = await db.look(service.lesson, actor, self._course, self._lesson)
        except NotFound:
            self.missing = True
            return None
        self._show(found)
        return LessonPageState.begin

    @rx.event
    @guard.partners()
    async def begin(self):
        """Note that the lesson is open: apart from the load, which may be broken off."""
        await self._do(service.begin)

    @rx.event
    @guard.partners()
    async def watched(self, position: float):
        """Keep where the video is, and count the time."""
        if await self._do(service.note, position):
            self.goes_on_at = position_text(service.whole_seconds(position))

    @rx.event
    @guard.partners()
    async def leave(self):
        """Count the time of a lesson that the person goes away from."""
        await self._do(service.note)

    @rx.event
    @guard.partners()
    async def complete(self):
        """Mark the lesson as completed; with the last one there is a certificate."""
        had = self.certificate
        if not await self._do(service.complete):
            return None
        self._show(await db.look(service.lesson, guard.actor(), self._course, self._lesson), again=True)
        if self.certificate and not had:
            return NoticeState.tell("green", f"You have completed the course {self.course}. Your certificate is ready.")
        return NoticeState.tell("green", f"Completed: {self.title}.")

    async def _do(self, act, *given: object) -> bool:
        """Do it with the open lesson. False when the lesson is no longer there, which the page then says."""
        if not self._lesson or self.missing:
            return False
        try:
            await db.work(act, guard.actor(), self._course, self._lesson, *given)
        except NotFound:
            self.missing = True
            return False
        return True

    def _show(self, found: OpenLesson, *, again: bool = False) -> None:
        course, lesson = found.course, found.lesson
        others = [line_of(course, one if one != lesson else _begun(one)) for one in course.lessons]
        shown: dict[str, object] = {
            "loading": False,
            "title": lesson.title,
            "course": course.title,
            "course_href": place_of(course.slug),
            "completed": lesson.state == LessonState.COMPLETED,
            "certificate": course.certificate,
            "html": found.html,
            "lessons": others,
            "before_href": _href(course.slug, found.before),
            "after_href": _href(course.slug, found.after),
        }
        # A video that plays goes on: only a lesson that is opened says where it begins.
        assign(self, shown if again else shown | _video(found))


def _begun(lesson: Lesson) -> Lesson:
    """As it is as soon as its page is open."""
    return replace(lesson, state=LessonState.STARTED) if lesson.state == LessonState.NEW else lesson


def _href(course: str, lesson: Lesson | None) -> str:
    return place_of(course, lesson.slug) if lesson else ""


def _video(found: OpenLesson) -> dict[str, object]:
    video, position = found.video, found.lesson.position
    if video is None:
        return {}
    return {
        # The platform's own way to say where a video begins.
        "video": f"{video.src}#t={position}" if position else video.src,
        "video_title": video.title,
        "captions": video.captions,
        "transcript": list(video.transcript),
        "goes_on_at": position_text(position),
    }
