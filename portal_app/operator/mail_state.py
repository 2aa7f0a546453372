"""The states of the mails: the list, whose question lives in the address, and one mail."""

from functools import partial
from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import NotFound, PortalError
from portal_app.mail.reading import NOT_FOUND, TextLine
from portal_app.operator import job_list, mail_list
from portal_app.operator.mail_rows import PATH, MailQuery, SentMail
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState, enter
from portal_app.times import Moment, moment
from portal_app.ui.choice import Option
from portal_app.ui.listing import choices

_NEVER = Moment(text="", exact="")


class LetterLine(TypedDict):
    """A mail in words."""

    id: int
    href: str
    to: str
    subject: str
    kind: str
    state: str
    state_kind: str
    fault: str
    partner: str
    attempts: int
    queued: Moment
    next: Moment
    finished: Moment
    may_send: bool
    may_drop: bool


class MailsState(ListState, rx.State):
    """A page of the outbox."""

    loading: bool = True
    lines: list[LetterLine] = []
    kind: str = ""
    state: str = ""
    partner: str = ""
    kinds: list[Option] = []
    partners: list[Option] = []
    sort: str = "id"
    descending: bool = True

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        actor = await enter(self)
        known = {kind: kind.capitalize() for kind in await db.look(mail_list.kinds, actor)}
        self.kinds = choices("Kind", known)
        self.partners = choices("Partner", await db.look(job_list.partners, actor))
        await self._show(actor)
        self.loading = False

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        if self.router.url.path.rstrip("/") != PATH:
            return
        query = MailQuery.from_address(self.router.url.query_parameters)
        found, shown = await answer_to(query, partial(db.look, mail_list.page, actor))
        lines = [_line(row, actor.time_zone) for row in found.rows]
        assign(self, {"lines": lines, "count": counted(found.matching, found.total, "mail")} | shown)


class MailPageState(rx.State):
    """One mail, and what may be done with it."""

    ready: bool = False
    missing: bool = False
    mail: LetterLine = LetterLine(
        id=0,
        href="",
        to="",
        subject="",
        kind="",
        state="",
        state_kind="grey",
        fault="",
        partner="",
        attempts=0,
        queued=_NEVER,
        next=_NEVER,
        finished=_NEVER,
        may_send=False,
        may_drop=False,
    )
    text: list[TextLine] = []
    html: str = ""
    asking: bool = False
    busy: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the mail of the address; that it was read is audited."""
        actor = await enter(self)
        self.reset()
        number = self.router.url.path.rstrip("/").rpartition("/")[2]
        try:
            if not (number.isascii() and number.isdecimal() and len(number) < 16):
                raise NotFound(NOT_FOUND)
            await self._show(actor, int(number))
            found = await db.work(mail_list.read, actor, int(number))
        except NotFound:
            self.missing = True
            return
        self.text, self.html, self.ready = found.lines, found.html, True

    @rx.event
    @guard.operators()
    async def ask(self):
        """Ask whether the mail is to be dropped."""
        self.asking = self.mail["may_drop"]

    @rx.event
    @guard.operators()
    async def close(self):
        """Let it wait."""
        self.asking = False

    @rx.event
    @guard.operators()
    async def send(self):
        """Try a mail anew that was given up."""
        if self.busy or not self.mail["may_send"]:
            return
        self.busy = True
        yield
        yield await self._done(mail_list.send_again, "The mail is on its way again.")

    @rx.event
    @guard.operators()
    async def drop(self):
        """Give up the mail that was asked about."""
        if self.busy or not self.asking:
            return
        self.busy = True
        yield
        yield await self._done(mail_list.drop, "The mail was dropped.")

    async def _done(self, do, said: str):
        number = self.mail["id"]
        try:
            await db.work(do, guard.actor(), number)
            told = NoticeState.tell("green", said)
        except PortalError as refusal:
            told = NoticeState.tell("red", refusal.sentence)
        finally:
            self.busy = self.asking = False
        await self._show(guard.actor(), number)
        return told

    async def _show(self, actor: Actor, number: int) -> None:
        self.mail = _line(await db.look(mail_list.one, actor, number), actor.time_zone)


def _line(row: SentMail, time_zone: str) -> LetterLine:
    return LetterLine(
        id=row.id,
        href=f"{PATH}/{row.id}",
        to=row.to,
        subject=row.subject,
        kind=row.kind.capitalize(),
        state=row.state,
        state_kind=row.state_kind,
        fault=row.fault,
        partner=row.partner,
        attempts=row.attempts,
        queued=moment(row.queued_at, time_zone),
        next=moment(row.next_at, time_zone),
        finished=moment(row.finished_at, time_zone),
        may_send=row.may_send,
        may_drop=row.may_drop,
    )
