"""The state of the form that adds a partner."""

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.errors import PortalError
from portal_app.operator.query import partner_path
from portal_app.operator.service import NewPartner, create_partner
from portal_app.shell.state import enter, tell_on_next_page

FIELDS = ("code", "name", "currency", "time_zone", "admin_email", "admin_name")


class NewPartnerState(rx.State):
    """What was wrong with what was typed; the fields themselves keep it."""

    ready: bool = False
    errors: dict[str, str] = {}
    error: str = ""
    busy: bool = False

    @rx.event
    @guard.operators()
    async def load(self):
        """Begin with an empty form."""
        await enter(self)
        self.reset()
        self.ready = True

    @rx.event
    @guard.operators()
    async def add(self, form: dict):
        """Add the partner and invite its administrator."""
        if self.busy:
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        typed = [value[:1_000] if isinstance(value := form.get(name), str) else "" for name in FIELDS]
        new = NewPartner(*typed).cleaned()
        try:
            await db.work(create_partner, guard.actor(), new, invited=True)
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, "" if refusal.fields else refusal.sentence
            return
        finally:
            self.busy = False
        told = f"{new.code} was added. An invitation is on its way to {new.admin_email}; it is good for 24 hours."
        await tell_on_next_page(self, told)
        yield rx.redirect(partner_path(new.code))
