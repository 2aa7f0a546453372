"""One article."""

from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.content import markdown
from portal_app.content.rows import Page
from portal_app.errors import NotFound
from portal_app.shell.listing import assign
from portal_app.shell.state import enter
from portal_app.support import service
from portal_app.support.rows import Topic
from portal_app.support.state import PATH, Line, line

# A shorter article needs no table of contents.
LEAST_HEADINGS = 3


class Part(TypedDict):
    """A line of the table of contents."""

    href: str
    text: str


class ArticleState(rx.State):
    """The article of the address, and its neighbours."""

    phase: str = "loading"
    title: str = ""
    summary: str = ""
    body: str = ""
    parts: list[Part] = []
    topic: Line = {"title": "", "href": "", "text": ""}
    others: list[Line] = []

    @rx.event
    @guard.partners()
    async def load(self):
        """Show the article."""
        actor = await enter(self)
        slug = self.router.url.path.rstrip("/").rpartition("/")[2]
        try:
            page, topic = await db.look(service.article, actor, slug)
        except NotFound:
            self.reset()
            self.phase = "missing"
            return
        assign(self, _shown(page, topic))


def _shown(page: Page, topic: Topic) -> dict:
    headings = [one for one in markdown.headings(page.body) if one.level == 2]
    if len(headings) < LEAST_HEADINGS:
        headings = []
    return {
        "phase": "shown",
        "title": page.title,
        "summary": page.summary,
        "body": markdown.html(page.body, page.kind, page.slug),
        "parts": [Part(href=f"#{one.id}", text=one.text) for one in headings],
        "topic": Line(title=topic.title, href=f"{PATH}?topic={topic.key}", text=""),
        "others": [line(one) for one in topic.articles if one.slug != page.slug][:6],
    }
