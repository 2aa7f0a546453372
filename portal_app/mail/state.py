"""The state of the demo's outbox."""

from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.errors import NotFound
from portal_app.mail import reading
from portal_app.mail.reading import MailRow, TextLine
from portal_app.paging import page_number, page_size
from portal_app.times import Moment, moment

OPEN_TO_ALL = "the demo's mail is for people who can't sign in yet; outside a demo there is nothing"


class MailLine(TypedDict):
    """One mail in words."""

    id: int
    to: str
    subject: str
    state: str
    state_kind: str
    fault: str
    queued: Moment
    href: str


class OutboxState(rx.State):
    """The list, or the one mail that the address names."""

    loading: bool = True
    missing: bool = False
    reading: bool = False
    lines: list[MailLine] = []
    page: int = 1
    pages: int = 1
    size: int = 25
    mail: MailLine = MailLine(
        id=0, to="", subject="", state="", state_kind="grey", fault="", queued=Moment(text="", exact=""), href=""
    )
    text: list[TextLine] = []
    html: str = ""

    @rx.event
    @guard.public(OPEN_TO_ALL)
    async def load(self):
        """Show what the address asks for."""
        self.reset()
        query = self.router.url.query_parameters
        try:
            if "mail" in query:
                await self._read(query["mail"])
            else:
                await self._list(page_number(query.get("page", "")), page_size(query.get("size", "")))
        except NotFound:
            self.missing = True
        self.loading = False

    @rx.event
    @guard.public(OPEN_TO_ALL)
    async def resize(self, size: str):
        """Show so many on a page."""
        return rx.redirect(f"/outbox?size={page_size(size)}")

    async def _list(self, page: int, size: int) -> None:
        found = await db.look(reading.page_of, page, size)
        self.page, self.pages, self.size = found.number, found.pages, size
        self.lines = [_line(row) for row in found.rows]

    async def _read(self, text: str) -> None:
        if not (text.isascii() and text.isdecimal() and len(text) <= 15):
            raise NotFound(reading.NOT_FOUND)
        found = await db.look(reading.read, int(text))
        self.mail, self.html, self.reading = _line(found.row), found.html, True
        self.text = found.lines


def _line(row: MailRow) -> MailLine:
    return MailLine(
        id=row.id,
        to=row.to,
        subject=row.subject,
        state=row.state,
        state_kind=row.state_kind,
        fault=row.fault,
        queued=moment(row.queued_at, guard.actor().time_zone),
        href=f"/outbox?mail={row.id}",
    )
