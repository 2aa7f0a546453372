"""The state of one ticket on the partner's side."""

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import NotFound, PortalError
from portal_app.models import TicketState
from portal_app.settings import settings
from portal_app.shell.state import NoticeState, enter
from portal_app.shell.watching import keep_own_fresh, number_now
from portal_app.tickets import service, uploads
from portal_app.tickets.lines import FileLine, file_lines, message_lines, ticket_number
from portal_app.tickets.query import PATH
from portal_app.tickets.routes import problem_of
from portal_app.tickets.rows import Conversation
from portal_app.tickets.talk_state import TalkState
from portal_app.tickets.words import STATES, TOPICS, URGENCIES
from portal_app.times import NEVER, Moment, moment


class OwnTicketState(TalkState, rx.State):
    """A conversation and the form below it, which is made anew once something was sent."""

    ready: bool = False
    number: int = 0
    subject: str = ""
    state: str = ""
    state_kind: str = "grey"
    topic: str = ""
    urgency: str = ""
    account: str = ""
    account_href: str = ""
    opened_by: str = ""
    opened: Moment = NEVER
    closed: bool = False
    files: list[FileLine] = []
    file_error: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    busy: bool = False
    sent: bool = False
    # Of the form: the second of two quick clicks comes with a turn that was over with the first.
    turn: int = 0

    _version: int = 0
    _number: int = 0

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def load(self):
        """Show the ticket of the address."""
        actor = await enter(self)
        self.reset()
        yield
        self.number = ticket_number(self.router.url.path)
        self._number = await number_now(actor)
        try:
            await self._show(actor)
        except NotFound:
            self.missing = True
            return
        await self._show_files(actor)
        self.ready = True
        yield OwnTicketState.watch

    @rx.event(background=True)
    @guard.requires(Permission.TICKETS_OPEN)
    async def watch(self):
        """Show answers as they come."""
        await keep_own_fresh(self, Permission.TICKETS_OPEN, self._refresh)

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def files_came(self, form: dict):
        """Files were sent by the browser; `problem` says why one was not taken."""
        self.file_error = problem_of(form.get("problem"))
        await self._show_files(guard.actor())

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def drop_file(self, file_id: int):
        """Take a file out of the form."""
        self.file_error = ""
        await db.work(uploads.remove, guard.actor(), self.number, file_id)
        await self._show_files(guard.actor())

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def send(self, form: dict):
        """Write in the ticket; what was typed stays until it is sent."""
        if self.busy or not self.ready or form.get("turn") != str(self.turn):
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        text, reopened = form.get("text"), self.closed
        try:
            await db.work(service.reply, guard.actor(), self.number, self._version, text)
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
        yield NoticeState.tell("green", "Sent. The ticket is open again." if reopened else "Sent.")

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def close(self):
        """End the ticket."""
        if self.busy or not self.ready:
            return
        self.errors, self.error = {}, ""
        try:
            await db.work(service.close, guard.actor(), self.number, self._version)
        except PortalError as refusal:
            await self._turned_down(refusal)
            return
        await self._show(guard.actor())
        yield NoticeState.tell("green", "The ticket is closed. Write here to open it again.")

    async def _turned_down(self, refusal: PortalError) -> None:
        self.errors, self.error = refusal.fields, "" if refusal.fields else refusal.sentence
        await self._look_after(refusal, guard.actor())

    async def _show(self, actor: Actor) -> None:
        found: Conversation = await db.look(service.show, actor, self.number)
        if self._version == found.version and self.messages:
            return
        self._version = found.version
        self.subject, self.closed = found.subject, found.state == TicketState.CLOSED
        self.state, self.state_kind = STATES[found.state]
        self.topic, self.urgency = TOPICS[found.topic], URGENCIES[found.urgency][0]
        self.account = found.account_name
        self.account_href = f"/accounts/{found.account_id}" if found.account_id else ""
        self.opened_by, self.opened = found.opened_by, moment(found.created_at, actor.time_zone)
        provider = settings().brand_name
        self.messages = message_lines(found.messages, provider, actor.time_zone, f"{PATH}/files")

    async def _show_files(self, actor: Actor) -> None:
        self.files = file_lines(await db.look(uploads.waiting, actor, self.number))
