"""The state of a course's page."""

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.errors import NotFound
from portal_app.learning import service
from portal_app.learning.rows import Course
from portal_app.learning.words import NO_CARD, CourseCard, LessonLine, card_of, line_of, names_in
from portal_app.shell.listing import assign
from portal_app.shell.state import NoticeState, enter


class CourseState(rx.State):
    """One course."""

    loading: bool = True
    missing: bool = False
    card: CourseCard = NO_CARD
    html: str = ""
    lessons: list[LessonLine] = []
    certificate: str = ""

    _slug: str = ""

    @rx.event
    @guard.partners()
    async def load(self):
        """Show the course that the address names."""
        self.reset()
        actor = await enter(self)
        self._slug = names_in(self.router.url.path)[0]
        try:
            self._show(await db.look(service.course, actor, self._slug))
        except NotFound:
            self.missing = True

    @rx.event
    @guard.partners()
    async def claim(self):
        """Have the certificate issued, where a lesson that was the last to complete has gone."""
        found = await db.work(service.claim, guard.actor(), self._slug)
        self._show(found)
        return NoticeState.tell("green", f"Your certificate {found.certificate} is ready.")

    def _show(self, found: Course) -> None:
        lessons = [line_of(found, lesson) for lesson in found.lessons]
        shown = {"card": card_of(found), "html": found.html, "lessons": lessons, "certificate": found.certificate}
        assign(self, {"loading": False} | shown)
