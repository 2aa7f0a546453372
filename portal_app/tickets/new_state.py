"""The state of Open a Ticket. What is typed stays in the browser's own fields, also when the page is loaded again."""

from typing import Any, TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import PortalError
from portal_app.models import TicketTopic
from portal_app.paging import LONGEST_SEARCH
from portal_app.shell.state import enter, tell_on_next_page
from portal_app.tickets import service, uploads
from portal_app.tickets.lines import FileLine, file_lines
from portal_app.tickets.query import PATH
from portal_app.tickets.routes import problem_of
from portal_app.tickets.service import LONGEST_SUBJECT

FIELDS = ("topic", "subject", "text", "urgency")
# Beyond what is taken, so that what is too long is said to be.
MOST_TYPED = 50_000


class AccountFound(TypedDict):
    """An account that the search found."""

    id: int
    name: str
    email: str


class NewTicketState(rx.State):
    """The form: what the address preselects, what the search for an account found, the files that came."""

    ready: bool = False
    topic: str = ""
    subject: str = ""
    account_id: int = 0
    account: str = ""
    may_choose: bool = False
    search: str = ""
    found: list[AccountFound] = []
    files: list[FileLine] = []
    file_error: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    busy: bool = False
    sent: bool = False

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def load(self):
        """The form, with what the address says (`?topic=…&account=…&subject=…`)."""
        actor = await enter(self)
        self.reset()
        # The form is made anew: its fields take what they begin with only then.
        yield
        asked = self.router.url.query_parameters
        topic, subject = asked.get("topic", ""), asked.get("subject", "")
        self.topic = topic if topic in list(TicketTopic) else ""
        self.subject = str(subject)[:LONGEST_SUBJECT]
        await self._show_account(actor)
        await self._show_files(actor)
        self.ready = True

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def answer(self):
        """The account that the address names by now."""
        if self.router.url.path.rstrip("/") == f"{PATH}/new":
            await self._show_account(guard.actor())

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def find(self, words: str):
        """Look for accounts while the user types."""
        self.search = words[:LONGEST_SEARCH]
        rows = await db.look(service.account_choice, guard.actor(), self.search) if self.search.strip() else []
        self.found = [AccountFound(id=row.id, name=row.name, email=row.email) for row in rows]

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
        await db.work(uploads.remove, guard.actor(), 0, file_id)
        await self._show_files(guard.actor())

    @rx.event
    @guard.requires(Permission.TICKETS_OPEN)
    async def send(self, form: dict):
        """Open the ticket; faults stand by their fields, and what was typed stays."""
        if self.busy or self.sent or not self.ready:
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        try:
            ticket = await db.work(
                service.open_ticket,
                guard.actor(),
                **typed(form, FIELDS),
                account_id=self.account_id or None,
                from_form=True,
            )
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return
        finally:
            self.busy = False
        # The browser forgets what it kept of the form before the page is left.
        self.sent = True
        yield
        await tell_on_next_page(self, f"Your ticket {ticket.id} was sent. The answer appears here, and comes by mail.")
        yield rx.redirect(f"{PATH}/{ticket.id}", replace=True)

    async def _show_account(self, actor: Actor) -> None:
        asked = str(self.router.url.query_parameters.get("account", ""))
        number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= 15 else None
        found = await db.look(service.start, actor, number)
        self.account_id, self.account = (found.account.id, found.account.name) if found.account else (0, "")
        self.may_choose, self.search, self.found = found.may_choose, "", []

    async def _show_files(self, actor: Actor) -> None:
        self.files = file_lines(await db.look(uploads.waiting, actor, 0))


def typed(form: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """These fields of a form; what isn't text is empty."""
    given = {name: form.get(name) for name in names}
    return {name: value[:MOST_TYPED] if isinstance(value, str) else "" for name, value in given.items()}
