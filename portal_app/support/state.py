"""Support's first page: topics, one topic, or what a search found; which of them is in the address."""

from collections.abc import Iterator
from typing import TypedDict

import reflex as rx
from sqlmodel import Session

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.brand import brand
from portal_app.content.rows import Page
from portal_app.content.search import LONGEST_QUESTION
from portal_app.errors import NotFound
from portal_app.shell.listing import assign
from portal_app.shell.state import enter
from portal_app.support import service
from portal_app.tickets import service as tickets
from portal_app.tickets.lines import TicketLine, ticket_line
from portal_app.tickets.query import PATH as TICKETS

PATH = "/support"
# So many articles of a topic stand on its card.
ON_CARD = 4
LAST_TICKETS = 3


class Line(TypedDict):
    """An article in a list; `text` is its summary, or where the words were found."""

    title: str
    href: str
    text: str


class Card(TypedDict):
    """A topic and its first articles."""

    title: str
    href: str
    more: str
    articles: list[Line]


class SupportState(rx.State):
    """What the address asks for."""

    loading: bool = True
    q: str = ""
    heading: str = ""
    cards: list[Card] = []
    lines: list[Line] = []
    may_ask: bool = False
    tickets: list[TicketLine] = []
    ways: list[Line] = []
    legal: list[Line] = []

    @rx.event
    @guard.partners()
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        assign(self, {"ways": list(_ways()), "legal": list(_legal())})
        await self._show(actor)

    @rx.event
    @guard.partners()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self.router.url.path.rstrip("/") == PATH:
            await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        asked = self.router.url.query_parameters
        assign(self, await db.look(_shown, actor, asked.get("q", ""), asked.get("topic", "")))
        assign(self, await db.look(_asked_before, actor))


def _ways() -> Iterator[Line]:
    ours = brand()
    for what, phone in ours.support_phones:
        yield Line(title=what or "Phone", text=phone, href=f"tel:{phone.replace(' ', '')}")
    for what, email in ours.support_emails or (("", ours.support_email),):
        yield Line(title=what or "Email", text=email, href=f"mailto:{email}")
    if ours.chat_url:
        yield Line(title="Chat", text="Open the chat", href=ours.chat_url)


def _legal() -> Iterator[Line]:
    """The provider's own notices, or else our articles."""
    ours = brand()
    yield Line(title="Privacy", text="", href=ours.privacy_url or f"{service.ARTICLES}/privacy")
    yield Line(title="Security", text="", href=ours.security_url or f"{service.ARTICLES}/how-data-is-protected")
    if ours.terms_url:
        yield Line(title="Terms of use", text="", href=ours.terms_url)


def _shown(session: Session, actor: Actor, q: str, key: str) -> dict:
    q = q[:LONGEST_QUESTION]
    cards, lines, heading = [], [], "Help topics"
    if q.strip():
        hits = service.find(session, actor, q)
        lines = [Line(title=h.title, href=f"{service.ARTICLES}/{h.slug}", text=h.snippet) for h in hits]
        heading = "1 article" if len(lines) == 1 else f"{len(lines)} articles"
    elif key:
        try:
            topic = service.topic(session, actor, key)
        except NotFound:
            return _shown(session, actor, "", "")
        lines, heading = [line(page) for page in topic.articles], topic.title
    else:
        cards = [_card(topic) for topic in service.topics(session, actor)]
    return {"loading": False, "q": q, "heading": heading, "cards": cards, "lines": lines}


def _asked_before(session: Session, actor: Actor) -> dict:
    rows = tickets.latest(session, actor, LAST_TICKETS)
    shown = [ticket_line(row, TICKETS, actor.time_zone) for row in rows]
    return {"may_ask": tickets.may_ask(actor), "tickets": shown}


def _card(topic: service.Topic) -> Card:
    rest = len(topic.articles) - ON_CARD
    return Card(
        title=topic.title,
        href=f"{PATH}?topic={topic.key}",
        more=f"{rest} more" if rest > 0 else "",
        articles=[line(page) for page in topic.articles[:ON_CARD]],
    )


def line(page: Page) -> Line:
    """An article in a list."""
    return Line(title=page.title, href=f"{service.ARTICLES}/{page.slug}", text=page.summary)
