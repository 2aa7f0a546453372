"""The state of a partner's default storage location."""

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.errors import PortalError
from portal_app.operator import places
from portal_app.shell.state import NoticeState
from portal_app.ui.choice import Option, option

_UNSET = option("", "The first open one of the list")


class PartnerPlaceState(rx.State):
    """The choice, for the partner of the page's address."""

    choices: list[Option] = []
    saved: str = ""
    error: str = ""
    busy: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the choices and what is saved; nothing on a page without a partner."""
        await self._show()

    @rx.event
    @guard.operators()
    async def save(self, form: dict):
        """Let the partner's new accounts begin there."""
        if self.busy:
            return
        self.busy, self.error = True, ""
        yield
        try:
            name = await db.work(places.set_default, guard.actor(), self._partner, str(form.get("place"))[:40])
        except PortalError as refusal:
            self.error = refusal.fields.get("place", refusal.sentence)
            return
        finally:
            self.busy = False
        await self._show()
        yield NoticeState.tell("green", f"New accounts begin in {name}.")

    async def _show(self) -> None:
        try:
            found = await db.look(places.default_of, guard.actor(), self._partner)
        except PortalError:
            self.reset()
            return
        self.choices = ([] if found.code else [_UNSET]) + [option(one.code, one.name) for one in found.choices]
        self.saved, self.error = found.code, ""

    @property
    def _partner(self) -> str:
        """The part of the address that comes after `/operator/partners`."""
        return self.router.url.path.split("/")[3][:20].upper() if self.router.url.path.count("/") > 2 else ""
