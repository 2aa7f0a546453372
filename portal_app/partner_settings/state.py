"""The state of Settings > Account."""

from typing import Any

import reflex as rx

from portal_app import db
from portal_app.accounts.plans import KINDS, joined, split
from portal_app.auth import guard
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid
from portal_app.partner_settings import service
from portal_app.partner_settings.rows import AccountForm
from portal_app.shell.state import NoticeState, enter, tell_on_next_page
from portal_app.tickets.query import PATH as TICKETS
from portal_app.ui import Option, option

FIELDS = ("email", "name", "address", "phone", "time_zone")


class PartnerSettingsState(rx.State):
    """What is saved, and the choices that the form shows; what is typed stays in the browser's own fields."""

    ready: bool = False
    code: str = ""
    saved: dict[str, str] = dict.fromkeys(FIELDS, "")
    kind: str = "trial"
    plan: str = "monthly"
    location: str = ""
    other_locations: list[Option] = []
    errors: dict[str, str] = {}
    error: str = ""
    may_ask: bool = False
    asking: bool = False

    @rx.event
    @guard.requires(Permission.ACCOUNT_MANAGE)
    async def load(self):
        """Show what is saved."""
        self.may_ask = (await enter(self)).may(Permission.TICKETS_OPEN)
        self.errors, self.error, self.asking = {}, "", False
        await self._show()
        self.ready = True

    async def _show(self) -> None:
        found = await db.look(service.show, guard.actor())
        self.code, self.location = found.code, found.location
        self.saved = {name: getattr(found.form, name) for name in FIELDS}
        self.kind, self.plan = split(found.form.subscription)
        self.other_locations = [option(name) for name in found.other_locations]

    @rx.event
    @guard.requires(Permission.ACCOUNT_MANAGE)
    async def choose_kind(self, value: str):
        """How new accounts begin."""
        self.kind = value if value in dict(KINDS) else "trial"

    @rx.event
    @guard.requires(Permission.ACCOUNT_MANAGE)
    async def choose_plan(self, value: str):
        """Monthly or annual."""
        self.plan = "annual" if value == "annual" else "monthly"

    @rx.event
    @guard.requires(Permission.ACCOUNT_MANAGE)
    async def save(self, form: dict):
        """Save; faults stand by their fields, and what was typed stays."""
        self.errors, self.error = {}, ""
        # As it stands on the page: the state may have been made anew since.
        kind, plan = str(form.get("kind", self.kind)), str(form.get("plan", self.plan))
        subscription = joined(kind, plan) if kind in dict(KINDS) else ""
        given = AccountForm(**_typed(form, FIELDS), subscription=subscription)
        try:
            changed = await db.work(service.save, guard.actor(), given)
        except Invalid as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return None
        await self._show()
        return NoticeState.tell("green", "Saved." if changed else "Nothing was changed.")

    @rx.event
    @guard.requires(Permission.ACCOUNT_MANAGE)
    async def open_request(self):
        """The dialog that asks for another default storage location."""
        self.errors, self.error, self.asking = {}, "", True

    @rx.event
    @guard.requires(Permission.ACCOUNT_MANAGE)
    async def close_request(self):
        """Close the dialog; nothing is sent."""
        self.errors, self.error, self.asking = {}, "", False

    @rx.event
    @guard.requires(Permission.ACCOUNT_MANAGE)
    async def send_request(self, form: dict):
        """Ask the provider by a ticket, and go there."""
        self.errors = {}
        given = _typed(form, ("location", "why"))
        try:
            number = await db.work(
                service.request_location, guard.actor(), given.get("location", ""), given.get("why", "")
            )
        except Invalid as refusal:
            self.errors = refusal.fields
            return None
        self.asking = False
        await tell_on_next_page(self, "Your request was sent. The answer appears here, and comes by mail.")
        return rx.redirect(f"{TICKETS}/{number}")


def _typed(form: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: form[name] for name in names if isinstance(form.get(name), str)}
