"""The state of the webhooks in Settings > API. A signing secret passes through to the page and is never kept."""

from typing import TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import PortalError
from portal_app.models import DeliveryState
from portal_app.shell.state import NoticeState, enter
from portal_app.times import Moment, moment
from portal_app.webhooks import sending, service
from portal_app.webhooks.events import KNOWN, TEST
from portal_app.webhooks.rows import DeliveryRow, Log, WebhookRow

# The field of the page that a new secret is written into.
FIELD = "new-secret"
_STATES = {
    DeliveryState.WAITING: ("orange", "Waiting"),
    DeliveryState.DELIVERED: ("green", "Delivered"),
    DeliveryState.FAILED: ("red", "Failed"),
}
_NEVER = Moment(text="Never", exact="")


class WebhookLine(TypedDict):
    """One webhook in words."""

    id: int
    url: str
    events: str
    last: Moment
    last_words: str
    last_kind: str
    state: str
    state_kind: str
    active: bool


class DeliveryLine(TypedDict):
    """One delivery in words."""

    id: int
    event: str
    made: Moment
    state: str
    state_kind: str
    answer: str
    took: str


class EventTick(TypedDict):
    """An event as a tick box."""

    key: str
    label: str
    ticked: bool


class WebhooksState(rx.State):
    """The list, and the dialog that is open: "edit" (`chosen_id` 0: a new one), "remove", "log" or none."""

    loading: bool = True
    lines: list[WebhookLine] = []
    dialog: str = ""
    chosen_id: int = 0
    chosen_url: str = ""
    chosen_active: bool = True
    turned_off: str = ""
    ticks: list[EventTick] = []
    log: list[DeliveryLine] = []
    secret_of: str = ""
    errors: dict[str, str] = {}
    error: str = ""

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def load(self):
        """Show the webhooks."""
        actor = await enter(self)
        self._close()
        self.secret_of = ""
        await self._show(actor)

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def open_new(self):
        """The form of a new webhook."""
        self._close()
        self.dialog, self.secret_of, self.chosen_id, self.chosen_url, self.chosen_active = "edit", "", 0, "", True
        self.turned_off, self.ticks = "", _ticks(guard.actor(), ())

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def open_edit(self, webhook_id: int):
        """The form of a webhook."""
        actor = guard.actor()
        self._close()
        for row in await db.look(service.webhooks, actor):
            if row.id == webhook_id:
                self.dialog, self.chosen_id, self.chosen_url, self.chosen_active = "edit", row.id, row.url, row.active
                self.turned_off, self.ticks = row.turned_off, _ticks(actor, row.events)

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def open_remove(self, webhook_id: int):
        """The question before a webhook is deleted."""
        self._close()
        for line in self.lines:
            if line["id"] == webhook_id:
                self.dialog, self.chosen_id, self.chosen_url = "remove", webhook_id, line["url"]

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def open_log(self, webhook_id: int):
        """The deliveries of a webhook, as they are now."""
        actor = guard.actor()
        self._close()
        self._show_log(await db.look(service.log, actor, webhook_id), actor)

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def close(self):
        """Close the dialog; nothing is changed."""
        self._close()
        await self._show(guard.actor())

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def forget(self):
        """The secret is noted: it leaves the page."""
        self.secret_of = ""
        return rx.set_value(FIELD, "")

    @rx.event
    @guard.requires(Permission.API_MANAGE, fresh=True)
    async def save(self, form: dict):
        """Add or change the webhook. A new one's secret is written into the page, once."""
        self.errors, self.error = {}, ""
        actor, secret = guard.actor(), ""
        chosen = [key for key in KNOWN if form.get(key)]
        try:
            url = await anyio.to_thread.run_sync(sending.checked, str(form.get("url", "")))
            if self.chosen_id:
                given = {"active": bool(form.get("active"))}
                await db.work(service.change, actor, self.chosen_id, url, chosen, **given)
            else:
                secret = await db.work(service.add, actor, url, chosen)
        except PortalError as refusal:
            self.errors, self.error = getattr(refusal, "fields", {}), refusal.sentence
            return
        self._close()
        await self._show(actor)
        if secret:
            self.secret_of = url
            yield rx.set_value(FIELD, secret)
        else:
            yield NoticeState.tell("green", "Saved.")

    @rx.event
    @guard.requires(Permission.API_MANAGE, fresh=True)
    async def rotate(self, webhook_id: int):
        """A new secret, written into the page once."""
        secret = await db.work(service.rotate, guard.actor(), webhook_id)
        self._close()
        self.secret_of = self.chosen_url
        return rx.set_value(FIELD, secret)

    @rx.event
    @guard.requires(Permission.API_MANAGE, fresh=True)
    async def remove(self, webhook_id: int):
        """Delete a webhook with its deliveries."""
        actor = guard.actor()
        self._close()
        await db.work(service.remove, actor, webhook_id)
        await self._show(actor)
        return NoticeState.tell("green", "The webhook is deleted.")

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def send_test(self, webhook_id: int):
        """Send a message that tells of nothing."""
        await self._send(service.send_test, webhook_id, webhook_id)

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def resend(self, delivery_id: int):
        """Send a delivery again."""
        await self._send(service.resend, delivery_id, self.chosen_id)

    async def _send(self, do, number: int, webhook_id: int) -> None:
        self.error = ""
        actor = guard.actor()
        try:
            await db.work(do, actor, number)
        except PortalError as refusal:
            self.error = refusal.sentence
            return
        self._show_log(await db.look(service.log, actor, webhook_id), actor)

    async def _show(self, actor: Actor) -> None:
        rows = await db.look(service.webhooks, actor)
        self.lines = [_line(row, actor.time_zone) for row in rows]
        self.loading = False

    def _show_log(self, found: Log, actor: Actor) -> None:
        self.dialog, self.chosen_id, self.chosen_url = "log", found.webhook_id, found.url
        self.chosen_active = found.active
        self.log = [_delivery(row, actor.time_zone) for row in found.rows]

    def _close(self) -> None:
        self.dialog, self.errors, self.error, self.log = "", {}, "", []


def _ticks(actor: Actor, chosen: tuple[str, ...]) -> list[EventTick]:
    return [EventTick(key=event.value, label=event.label, ticked=event in chosen) for event in service.known_to(actor)]


def _line(row: WebhookRow, time_zone: str) -> WebhookLine:
    last_kind, last_words = _STATES[row.last_state] if row.last_state else ("grey", "None yet")
    state_kind, state = ("green", "On") if row.active else ("red", "Turned off") if row.turned_off else ("grey", "Off")
    return WebhookLine(
        id=row.id,
        url=row.url,
        events=", ".join(KNOWN[key].label for key in row.events if key in KNOWN),
        last=moment(row.last_at, time_zone) if row.last_at else _NEVER,
        last_words=last_words,
        last_kind=last_kind,
        state=state,
        state_kind=state_kind,
        active=row.active,
    )


def _delivery(row: DeliveryRow, time_zone: str) -> DeliveryLine:
    kind, words = _STATES[row.state]
    answer = row.fault or (f"{row.status}" if row.status else "Not sent yet")
    return DeliveryLine(
        id=row.id,
        event="Test" if row.event == TEST else KNOWN[row.event].label if row.event in KNOWN else row.event,
        made=moment(row.made_at, time_zone),
        state=words if row.attempts < 2 else f"{words} ({row.attempts} attempts)",
        state_kind=kind,
        answer=answer,
        took="" if row.took_ms is None or not row.attempts else f"{row.took_ms:,} ms",
    )
