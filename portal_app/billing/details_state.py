"""The state of Payment Details."""

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import cards, details
from portal_app.billing.cards import CardRow
from portal_app.billing.detail_rows import FIELDS, DetailsForm
from portal_app.errors import Invalid, PortalError
from portal_app.models import BillingMethod
from portal_app.shell.state import NoticeState, enter, show_banners

# What the way back from the processor's page tells in the address.
_CAME_BACK = {
    "added": ("green", "The card was added. It is charged from now on."),
    "none": ("orange", "No card was added."),
    "late": ("orange", "The payment processor has not confirmed the card yet. It will appear here once it has."),
}


class PaymentDetailsState(rx.State):
    """What is saved, and the stored cards; what is typed stays in the browser's own fields."""

    ready: bool = False
    # The fields take what is saved when they are made: a new number makes them anew.
    edition: int = 0
    saved: dict[str, str] = dict.fromkeys(FIELDS, "")
    currency: str = ""
    by_invoice: bool = False
    errors: dict[str, str] = {}
    error: str = ""
    saving: bool = False

    cards: list[CardRow] = []
    adding: bool = False
    activating_id: int = 0
    asked: str = ""
    deleting: bool = False
    # The processor's hosted page, for the moment in which the browser goes there.
    leave_for: str = ""

    _asked_id: int = 0

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE)
    async def load(self):
        """Show what is saved."""
        actor = await enter(self)
        self.errors, self.error, self.asked, self._asked_id = {}, "", "", 0
        self.saving = self.adding = self.deleting = False
        self.activating_id = 0
        before = self.saved
        await self._show(actor)
        if self.saved != before:
            self.edition += 1
        self.ready = True
        if told := _CAME_BACK.get(self.router.url.query_parameters.get("card", "")):
            return NoticeState.tell(*told)
        return None

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

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE, fresh=True)
    async def add_card(self):
        """Go to the processor's page, where the number is typed."""
        if self.adding:
            return
        self.adding = True
        yield
        try:
            self.leave_for = await anyio.to_thread.run_sync(cards.start_adding, guard.actor())
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        finally:
            self.adding = False
        yield
        self.leave_for = ""

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE, fresh=True)
    async def activate(self, card_id: int):
        """Charge this card from now on."""
        self.activating_id = card_id
        yield
        try:
            await db.work(cards.activate, guard.actor(), card_id)
            yield NoticeState.tell("green", "This card is charged from now on.")
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        finally:
            self.activating_id = 0
            await self._show_cards(guard.actor())

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE)
    async def ask(self, card_id: int):
        """Ask whether the card is to be deleted."""
        found = next((card for card in self.cards if card.id == card_id), None)
        if found:
            self.asked, self._asked_id = f"{found.brand} ending in {found.last4}", card_id

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE)
    async def close(self):
        """Keep the card."""
        self.asked, self._asked_id = "", 0

    @rx.event
    @guard.requires(Permission.PAYMENT_MANAGE, fresh=True)
    async def delete(self):
        """Delete the card that was asked about."""
        if not self._asked_id or self.deleting:
            return
        self.deleting = True
        yield
        try:
            await anyio.to_thread.run_sync(cards.delete, guard.actor(), self._asked_id)
            yield NoticeState.tell("green", f"The card {self.asked} was deleted.")
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        finally:
            self.deleting, self.asked, self._asked_id = False, "", 0
            await self._show_cards(guard.actor())
            await show_banners(self)

    async def _show(self, actor: Actor) -> None:
        found = await db.look(details.show, actor)
        self.saved = {name: getattr(found.form, name) for name in FIELDS}
        self.currency, self.by_invoice = found.currency, found.method == BillingMethod.INVOICE
        await self._show_cards(actor)

    async def _show_cards(self, actor: Actor) -> None:
        self.cards = await db.look(cards.listed, actor)
