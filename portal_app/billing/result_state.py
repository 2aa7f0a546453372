"""The state of the page that says how a payment went."""

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import payments
from portal_app.errors import NotFound
from portal_app.models import AttemptState
from portal_app.shell.state import enter, show_banners
from portal_app.shell.watching import keep_own_fresh, number_now

_WORDS = {
    AttemptState.SUCCEEDED: "paid",
    AttemptState.DECLINED: "declined",
    AttemptState.CANCELED: "canceled",
}
LONGEST_KEY = 64


class PaymentResultState(rx.State):
    """How the payment stands that the address names. `outcome`: paid, declined, canceled, waiting, or none of one's."""

    outcome: str = ""
    number: str = ""
    amount: str = ""
    reason: str = ""
    checking: bool = False

    _number: int = 0

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def load(self):
        """Show how the payment stands; a page that waits for the outcome watches for it."""
        actor = await enter(self)
        self.checking = False
        self._number = await number_now(actor)
        await self._show(actor)
        if self.outcome == "waiting":
            yield PaymentResultState.watch

    @rx.event(background=True)
    @guard.requires(Permission.BILLING_VIEW)
    async def watch(self):
        """Show the outcome when it comes."""
        await keep_own_fresh(self, Permission.BILLING_VIEW, self._show)

    @rx.event
    @guard.requires(Permission.BILLING_VIEW)
    async def check(self):
        """Ask the processor once more."""
        if self.checking or self.outcome != "waiting":
            return
        self.checking = True
        yield
        try:
            await anyio.to_thread.run_sync(payments.look_up, self._key())
            await self._show(guard.actor())
            await show_banners(self)
        finally:
            self.checking = False

    async def _show(self, actor: Actor) -> None:
        try:
            found = await db.look(payments.result_of, actor, self._key())
        except NotFound:
            self.outcome, self.number, self.amount, self.reason = "none", "", "", ""
            return
        self.outcome = _WORDS.get(found.state, "waiting")
        self.number, self.amount, self.reason = str(found.bill_number), found.amount, found.reason

    def _key(self) -> str:
        return str(self.router.url.query_parameters.get("attempt", ""))[:LONGEST_KEY]
