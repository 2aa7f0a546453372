"""The state of an account's removal, and of what follows it."""

import asyncio

import reflex as rx

from portal_app import db
from portal_app.account_settings import removal
from portal_app.account_settings.rows import Removed
from portal_app.accounts import service as accounts
from portal_app.auth import guard
from portal_app.auth.permissions import Permission
from portal_app.errors import NotFound, PortalError
from portal_app.live import hub
from portal_app.shell.account_state import AccountFrameState
from portal_app.shell.listing import assign
from portal_app.shell.state import enter

SECONDS_BETWEEN_LOOKS = 1.0


class RemovalState(rx.State):
    """Whether the removal is approved, and the account's name as it is typed."""

    approved: bool = False
    asking: bool = False
    typed_name: str = ""
    remove_error: str = ""
    removing: bool = False

    @rx.event
    @guard.requires(Permission.ACCOUNTS_REMOVE)
    async def approve(self, ticked: bool):
        """The box that enables the removal."""
        self.approved = ticked

    @rx.event
    @guard.requires(Permission.ACCOUNTS_REMOVE)
    async def open_dialog(self):
        """Ask for the account's name."""
        if self.approved:
            self.asking, self.typed_name, self.remove_error = True, "", ""

    @rx.event
    @guard.requires(Permission.ACCOUNTS_REMOVE)
    async def type_name(self, text: str):
        """The confirmation as it is typed."""
        self.typed_name = text[:200]

    @rx.event
    @guard.requires(Permission.ACCOUNTS_REMOVE)
    async def close(self):
        """Leave the account as it is."""
        self.asking = False

    @rx.event
    @guard.requires(Permission.ACCOUNTS_REMOVE, fresh=True)
    async def remove(self):
        """Remove the account whose name was typed; then follow the deletion of its data."""
        if self.removing or not self.asking:
            return
        self.removing, self.remove_error = True, ""
        account_id = (await self.get_state(AccountFrameState)).account_id
        yield
        try:
            await db.work(removal.remove, guard.actor(), account_id, self.typed_name, approved=self.approved)
        except PortalError as refusal:
            self.remove_error = refusal.sentence
            return
        finally:
            self.removing = False
        self.asking = False
        yield rx.redirect(removal.path_of(account_id), replace=True)


class RemovedState(rx.State):
    """How far the deletion of a removed account's data is."""

    loading: bool = True
    missing: bool = False
    name: str = ""
    email: str = ""
    ended: bool = False
    percent: int = 0
    words: str = ""
    fault: str = ""
    proof: str = ""

    _account_id: int = 0

    @rx.event
    @guard.requires(Permission.ACCOUNTS_REMOVE)
    async def load(self):
        """Show how far it is."""
        actor = await enter(self)
        self.reset()
        try:
            self._account_id = accounts.id_in(self.router.url.path, "accounts")
            self._show(await db.look(removal.standing, actor, self._account_id))
        except NotFound:
            self.missing, self.loading = True, False
            return
        if not self.ended:
            yield RemovedState.watch

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_REMOVE)
    async def watch(self):
        """Follow it to its end, while the page is open."""
        async with self:
            tab, account_id = self.router.session.client_token, self._account_id
        ended = False
        while not ended and hub.is_connected(tab):
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            async with self:
                if self._account_id != account_id or self.router.url.path.rstrip("/") != removal.path_of(account_id):
                    return
                actor = await guard.check_again(self, Permission.ACCOUNTS_REMOVE)
                self._show(await db.look(removal.standing, actor, account_id))
                ended = self.ended

    def _show(self, found: Removed) -> None:
        shown = {
            "loading": False,
            "name": found.name,
            "email": found.email,
            "ended": found.ended,
            "percent": found.percent,
            "words": found.words,
            "fault": found.fault,
            "proof": found.proof,
        }
        assign(self, shown)
