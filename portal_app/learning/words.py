"""Courses and lessons in the words of their pages."""

from typing import TypedDict
from urllib.parse import quote

from portal_app.learning.rows import Course, Lesson, LessonState

PATH = "/learning"
STATES = {
    LessonState.NEW: ("Not started", "grey"),
    LessonState.STARTED: ("In progress", "orange"),
    LessonState.COMPLETED: ("Completed", "green"),
}


class LessonLine(TypedDict):
    """A lesson in a list."""

    href: str
    title: str
    summary: str
    state: str
    kind: str


class CourseCard(TypedDict):
    """A course with how far the person is in it; `found`: its lessons that a search found."""

    href: str
    title: str
    summary: str
    progress: str
    done: int
    lessons: int
    act: str
    act_href: str
    found: list[LessonLine]


NO_CARD = CourseCard(href="", title="", summary="", progress="", done=0, lessons=1, act="", act_href="", found=[])


def place_of(course: str, lesson: str = "") -> str:
    """The address of a course, or of one of its lessons."""
    return "/".join((PATH, quote(course), *([quote(lesson)] if lesson else [])))


def names_in(path: str) -> list[str]:
    """What the address names: a course, and a lesson where it is a lesson's; empty where it names none."""
    return [*path.removeprefix(PATH).strip("/").split("/"), ""][:2]


def card_of(course: Course, found: tuple[Lesson, ...] = ()) -> CourseCard:
    many = len(course.lessons)
    act = "Start"
    if course.is_started:
        act = "Review" if course.is_learned else "Resume"
    return CourseCard(
        href=place_of(course.slug),
        title=course.title,
        summary=course.summary,
        progress=f"{course.done} of {many} {'lesson' if many == 1 else 'lessons'} completed",
        done=course.done,
        lessons=many,
        act=act,
        act_href=place_of(course.slug, course.next_lesson.slug),
        found=[line_of(course, lesson) for lesson in found],
    )


def line_of(course: Course, lesson: Lesson) -> LessonLine:
    state, kind = STATES[lesson.state]
    return LessonLine(
        href=place_of(course.slug, lesson.slug), title=lesson.title, summary=lesson.summary, state=state, kind=kind
    )


def time_text(seconds: int) -> str:
    """Such as "1 h 25 min"."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def position_text(seconds: int) -> str:
    """Such as "1:05"; empty at the beginning."""
    return f"{seconds // 60}:{seconds % 60:02}" if seconds else ""
