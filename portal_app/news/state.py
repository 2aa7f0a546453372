"""The list of posts, and one post."""

from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.content import markdown
from portal_app.errors import NotFound
from portal_app.news import service
from portal_app.shell.listing import assign
from portal_app.shell.state import enter, show_unread
from portal_app.times import Moment, day

PATH = "/news"


class Line(TypedDict):
    """A post in the list."""

    title: str
    summary: str
    href: str
    date: Moment
    unread: bool


class NewsState(rx.State):
    """All posts."""

    loading: bool = True
    lines: list[Line] = []

    @rx.event
    @guard.partners()
    async def load(self):
        """Show all posts."""
        await self._show(await enter(self))

    @rx.event
    @guard.partners()
    async def read_all(self):
        """Mark all as read."""
        await db.work(service.note_all_read, guard.actor())
        await show_unread(self)
        await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        found = await db.look(service.posts, actor)
        assign(self, {"loading": False, "lines": [_line(post, actor) for post in found]})


class PostState(rx.State):
    """The post of the address."""

    phase: str = "loading"
    title: str = ""
    date: Moment = {"text": "", "exact": ""}
    body: str = ""

    @rx.event
    @guard.partners()
    async def load(self):
        """Show the post; then it is marked as read, by an event of its own: who goes on at once breaks a load off."""
        actor = await enter(self)
        try:
            page = await db.look(service.post, actor, self._slug())
        except NotFound:
            self.reset()
            self.phase = "missing"
            return None
        shown = {"title": page.title, "date": day(page.published_at, actor.time_zone), "phase": "shown"}
        assign(self, shown | {"body": markdown.html(page.body, page.kind, page.slug)})
        return PostState.note

    @rx.event
    @guard.partners()
    async def note(self):
        """Mark the post of the address as read."""
        await db.work(service.note_read, guard.actor(), self._slug())
        await show_unread(self)

    def _slug(self) -> str:
        return self.router.url.path.rstrip("/").rpartition("/")[2]


def _line(post: service.Post, actor: Actor) -> Line:
    page = post.page
    return Line(
        title=page.title,
        summary=page.summary,
        href=f"{PATH}/{page.slug}",
        date=day(page.published_at, actor.time_zone),
        unread=post.unread,
    )
