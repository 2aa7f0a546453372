"""The state of one ticket in the console: the conversation with its notes, and what an operator does about it."""

from typing import Any

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import NotFound, PortalError
from portal_app.settings import settings
from portal_app.shell.state import NoticeState, enter
from portal_app.shell.watching import keep_fresh, number_of
from portal_app.tickets import desk, uploads
from portal_app.tickets.lines import FileLine, file_lines, message_lines, ticket_number
from portal_app.tickets.query import QUEUE
from portal_app.tickets.routes import problem_of
from portal_app.tickets.rows import DeskTicket
from portal_app.tickets.talk_state import TalkState
from portal_app.tickets.words import STATES, TOPICS, URGENCIES
from portal_app.times import NEVER, Moment, moment
from portal_app.ui import Option, option

NOBODY = "nobody"
ANSWER, NOTE = "answer", "note"


class OperatorTicketState(TalkState, rx.State):
    """A ticket of any partner."""

    ready: bool = False
    number: int = 0
    subject: str = ""
    state: str = ""
    state_words: str = ""
    state_kind: str = "grey"
    topic: str = ""
    urgency: str = ""
    partner: str = ""
    partner_name: str = ""
    account: str = ""
    opened_by: str = ""
    opened: Moment = NEVER
    assigned: str = NOBODY
    operators: list[Option] = []
    kind: str = ANSWER
    files: list[FileLine] = []
    file_error: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    busy: bool = False
    sent: bool = False
    # Of the form: the second of two quick clicks comes with a turn that was over with the first.
    turn: int = 0

    _version: int = 0
    _partner_id: int = 0
    _change: int = 0

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the ticket of the address."""
        actor = await enter(self)
        self.reset()
        yield
        self.number = ticket_number(self.router.url.path)
        try:
            self._partner_id = (await db.look(desk.show, actor, self.number)).partner_id
            self._change = await number_of(self._partner_id)
            await self._show(actor)
        except NotFound:
            self.missing = True
            return
        await self._show_files(actor)
        self.ready = True
        yield OperatorTicketState.watch

    @rx.event(background=True)
    @guard.operators()
    async def watch(self):
        """Show what the partner writes as it comes."""
        async with self:
            seen, partner_id = self._change, self._partner_id
        await keep_fresh(self, partner_id or None, seen, None, self._refresh)

    @rx.event
    @guard.operators()
    async def choose_kind(self, value: str):
        """An answer to the partner, or a note for operators."""
        self.kind = NOTE if value == NOTE else ANSWER

    @rx.event
    @guard.operators()
    async def files_came(self, form: dict):
        """Files were sent by the browser; `problem` says why one was not taken."""
        self.file_error = problem_of(form.get("problem"))
        await self._show_files(guard.actor())

    @rx.event
    @guard.operators()
    async def drop_file(self, file_id: int):
        """Take a file out of the form."""
        self.file_error = ""
        await db.work(uploads.remove, guard.actor(), self.number, file_id)
        await self._show_files(guard.actor())

    @rx.event
    @guard.operators()
    async def send(self, form: dict):
        """Answer, or write a note; what was typed stays until it is sent."""
        if self.busy or not self.ready or form.get("turn") != str(self.turn):
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        try:
            said = await self._send(form)
        except PortalError as refusal:
            await self._turned_down(refusal)
            return
        finally:
            self.busy = False
        self.sent, self.news, self.turn = True, "", self.turn + 1
        yield
        await self._show(guard.actor())
        await self._show_files(guard.actor())
        self.sent = False
        yield NoticeState.tell("green", said)

    @rx.event
    @guard.operators()
    async def assign(self, value: str):
        """Put somebody in charge."""
        to = int(value) if value.isascii() and value.isdecimal() and len(value) <= 15 else None
        seen = int(self.assigned) if self.assigned.isdecimal() else None
        await self._do(desk.assign, seen, to)

    @rx.event
    @guard.operators()
    async def set_state(self, value: str):
        """Whose turn it is."""
        await self._do(desk.set_state, self._version, value)

    async def _send(self, form: dict[str, Any]) -> str:
        text, kind = form.get("text"), form.get("kind")
        # As it stands on the page. In doubt it is no answer: a note can still become one.
        if kind != ANSWER:
            await db.work(desk.note, guard.actor(), self.number, text)
            return "The note is kept. Only operators see it."
        close = form.get("close") is not None
        await db.work(desk.answer, guard.actor(), self.number, self._version, text, close=close)
        return "The answer was sent, and the ticket closed." if close else "The answer was sent."

    async def _do(self, act: Any, *given: Any) -> None:
        if not self.ready:
            return
        self.errors, self.error = {}, ""
        try:
            await db.work(act, guard.actor(), self.number, *given)
        except PortalError as refusal:
            await self._turned_down(refusal)
            return
        await self._show(guard.actor())

    async def _turned_down(self, refusal: PortalError) -> None:
        self.errors, self.error = refusal.fields, "" if "text" in refusal.fields else refusal.sentence
        await self._look_after(refusal, guard.actor())

    async def _show(self, actor: Actor) -> None:
        found: DeskTicket = await db.look(desk.show, actor, self.number)
        shown = found.shown
        self._version, self.state = shown.version, shown.state
        self.subject, (self.state_words, self.state_kind) = shown.subject, STATES[shown.state]
        self.topic, self.urgency = TOPICS[shown.topic], URGENCIES[shown.urgency][0]
        self.partner, self.partner_name, self.account = found.partner_code, found.partner_name, shown.account_name
        self.opened_by, self.opened = shown.opened_by, moment(shown.created_at, actor.time_zone)
        lines = message_lines(shown.messages, settings().brand_name, actor.time_zone, f"{QUEUE}/files")
        if lines != self.messages:
            self.messages = lines
        self.assigned = str(found.assigned_to_id or NOBODY)
        people = [option(str(number), name) for number, name in found.operators]
        self.operators = [option(NOBODY, "Nobody"), *people]

    async def _show_files(self, actor: Actor) -> None:
        self.files = file_lines(await db.look(uploads.waiting, actor, self.number))
