"""The state of Payment Details."""

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import details
from portal_app.billing.detail_rows import FIELDS, DetailsForm
from portal_app.errors import Invalid
from portal_app.shell.state import NoticeState, enter


class PaymentDetailsState(rx.State):
    """What is saved; what is typed stays in the browser's own fields."""

    ready: bool = False
    # The fields take what is saved when they are made: a new number makes them anew.
    edition: int = 0
    saved: dict[str, str] = dict.fromkeys(FIELDS, "")
    currency: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    saving: bool = False

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE)
    async def load(self):
        """Show what is saved."""
        actor = await enter(self)
        self.errors, self.error, self.saving = {}, "", False
        before = self.saved
        await self._show(actor)
        if self.saved != before:
            self.edition += 1
        self.ready = True

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE)
    async def save(self, form: dict):
        """Save; faults stand by their fields, and what was typed stays."""
        self.errors, self.error, self.saving = {}, "", True
        yield
        given = {name: form[name] for name in FIELDS if isinstance(form.get(name), str)}
        try:
            changed = await db.work(details.save, guard.actor(), DetailsForm(**given))
            await self._show(guard.actor())
            yield NoticeState.tell("green", "Saved." if changed else "Nothing was changed.")
        except Invalid as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
        finally:
            self.saving = False

    async def _show(self, actor: Actor) -> None:
        found = await db.look(details.show, actor)
        self.saved = {name: getattr(found.form, name) for name in FIELDS}
        self.currency = found.currency
