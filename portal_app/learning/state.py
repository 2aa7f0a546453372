"""The state of the Learning Hub: the courses that the address asks for, and the progress in all."""

from itertools import groupby
from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.learning import service
from portal_app.learning.query import HubQuery
from portal_app.learning.rows import Hub
from portal_app.learning.words import PATH, CourseCard, card_of, time_text
from portal_app.shell.listing import assign
from portal_app.shell.state import enter


class Section(TypedDict):
    """Courses under one heading."""

    title: str
    courses: list[CourseCard]


class LearningState(rx.State):
    """What the hub shows."""

    loading: bool = True
    search: str = ""
    state: str = ""
    sections: list[Section] = []
    # In progress, completed, training time, certificates.
    figures: list[str] = ["", "", "", ""]
    # The course to go on with: none or one.
    current: list[CourseCard] = []

    @rx.event
    @guard.partners()
    async def load(self):
        """Show what the address asks for."""
        await enter(self)
        await self._show()

    @rx.event
    @guard.partners()
    async def answer(self):
        """Show it after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == PATH:
            await self._show()

    async def _show(self) -> None:
        query = HubQuery.from_address(self.router.url.query_parameters)
        found = await db.look(service.hub, guard.actor(), query)
        assign(self, {"loading": False, "search": query.search, "state": query.state} | _shown(found))


def _shown(found: Hub) -> dict[str, object]:
    """The hub in words; the sections in the order of their first courses."""
    order = list(dict.fromkeys(course.section for course, _ in found.courses))
    ordered = sorted(found.courses, key=lambda pair: order.index(pair[0].section))
    return {
        "sections": [
            Section(title=title or "Courses", courses=[card_of(*pair) for pair in pairs])
            for title, pairs in groupby(ordered, key=lambda pair: pair[0].section)
        ],
        "figures": [str(found.in_progress), str(found.completed), time_text(found.seconds), str(found.certificates)],
        "current": [card_of(found.current)] if found.current else [],
    }
