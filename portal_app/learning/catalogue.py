"""The published courses, as the content has them."""

import re
from dataclasses import dataclass

from sqlmodel import Session

from portal_app.content import library
from portal_app.content.rows import Page
from portal_app.errors import NotFound
from portal_app.models import ContentKind

NO_COURSE = "There is no such course."
NO_LESSON = "There is no such lesson."
# A paragraph that is a video and nothing else.
_VIDEO = re.compile(r"^!\[([^\]\n]*)\]\(([\w.-]+\.webm)\)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outline:
    """A course and its lessons, in order; there is at least one."""

    course: Page
    lessons: tuple[Page, ...]


def outlines(session: Session) -> list[Outline]:
    """All courses that have a lesson, in the order of the content."""
    lessons: dict[str, list[Page]] = {}
    for page in library.pages(session, ContentKind.LESSON):
        lessons.setdefault(page.section, []).append(page)
    courses = library.pages(session, ContentKind.COURSE)
    return [Outline(page, tuple(lessons[page.slug])) for page in courses if page.slug in lessons]


def outline(session: Session, course: str) -> Outline:
    """One of them. Raises NotFound."""
    found = next((one for one in outlines(session) if one.course.slug == course), None)
    if found is None:
        raise NotFound(NO_COURSE)
    return found


def name_of(lesson: Page) -> str:
    """What a lesson is called within its course: in its address, and where progress is kept."""
    return lesson.slug.removeprefix(f"{lesson.section}--")


def lesson(session: Session, course: str, name: str) -> Page:
    """A lesson of a published course. Raises NotFound."""
    found = next((page for page in outline(session, course).lessons if name_of(page) == name), None)
    if found is None:
        raise NotFound(NO_LESSON)
    return found


def without_video(body: str) -> tuple[str, str, str]:
    """A lesson's text without its first video; that video's file and title, empty when there is none."""
    found = _VIDEO.search(body)
    if found is None:
        return body, "", ""
    return body[: found.start()] + body[found.end() :], found[2], found[1]
