"""The operators' list of content: search, filters, order and page live in the address."""

from functools import partial
from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.content import service
from portal_app.content.query import KINDS, PATH, STANDINGS, ContentQuery
from portal_app.content.rows import FOR_OPERATORS, TOPICS
from portal_app.models import ContentKind
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import enter
from portal_app.times import Moment, moment


class Line(TypedDict):
    """A page in the list."""

    id: str
    title: str
    slug: str
    href: str
    kind: str
    section: str
    standing: str
    standing_kind: str
    note: str
    changed: Moment


class ContentState(ListState, rx.State):
    """A page of the list."""

    loading: bool = True
    lines: list[Line] = []
    kind: str = ""
    standing: str = ""
    sort: str = "changed"
    descending: bool = True

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        await self._show(await enter(self))

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == PATH:
            await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        query = ContentQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, service.list_page, actor))
        lines = [_line(row, actor) for row in found.rows]
        count = counted(found.matching, found.total, "page")
        assign(self, {"lines": lines, "count": count, "loading": False} | shown)


def _line(row: service.Row, actor: Actor) -> Line:
    page = row.page
    words, kind = STANDINGS[row.standing]
    return Line(
        id=f"{page.kind}/{page.slug}",
        title=page.title,
        slug=page.slug,
        href=f"{PATH}/{row.page_id}" if row.page_id else f"{PATH}/new?kind={page.kind}&name={page.slug}",
        kind=KINDS[ContentKind(page.kind)],
        section=(TOPICS | {FOR_OPERATORS: "Operator console"}).get(page.section, page.section),
        standing=words,
        standing_kind=kind,
        note="Over the delivered page" if row.over else "",
        changed=moment(page.changed_at, actor.time_zone),
    )
