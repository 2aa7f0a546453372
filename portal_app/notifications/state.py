"""The state of Notifications."""

from collections.abc import Callable
from typing import Any, TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.permissions import Permission
from portal_app.errors import NotFound, PortalError
from portal_app.notifications import service
from portal_app.notifications.periods import HOUR
from portal_app.notifications.rows import KINDS, GeneralForm, RecipientForm
from portal_app.shell.state import NoticeState, enter

GENERAL = ("frequency", "content", "detail", "radar_address", "radar_form")


class RecipientLine(TypedDict):
    """One recipient in words."""

    id: int
    email: str
    name: str
    kinds: list[str]
    words: str


NOBODY = RecipientLine(id=0, email="", name="", kinds=[], words="")


class NotificationsState(rx.State):
    """The list and the settings; the one dialog that is open is "add", "edit", "delete" or none."""

    loading: bool = True
    recipients: list[RecipientLine] = []
    general: dict[str, str] = dict.fromkeys(GENERAL, "")
    radar_enabled: bool = False
    when: str = ""
    dialog: str = ""
    chosen: RecipientLine = NOBODY
    errors: dict[str, str] = {}
    error: str = ""

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def load(self):
        """Show what is saved."""
        await enter(self)
        self._close()
        await self._show()

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def open_add(self):
        """The dialog for a new recipient."""
        self._close()
        self.dialog, self.chosen = "add", NOBODY

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def open_edit(self, recipient_id: int):
        """The dialog with a recipient of the list."""
        self._open("edit", recipient_id)

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def open_delete(self, recipient_id: int):
        """The question before a recipient is deleted."""
        self._open("delete", recipient_id)

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def close(self):
        """Close the dialog; nothing is changed."""
        self._close()

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def save(self, form: dict):
        """Save the dialog; faults stand by their fields, and what was typed stays."""
        texts = {name: form[name] for name in ("email", "name") if isinstance(form.get(name), str)}
        given = RecipientForm(**texts, kinds=tuple(kind for kind in KINDS if form.get(kind)))
        number = str(form.get("recipient", ""))
        if number.isascii() and number.isdecimal() and len(number) < 10:
            return await self._do(service.change, int(number), given, told="Saved.")
        return await self._do(service.add, given, told=f"{given.name} gets notifications from now on.")

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def delete(self, recipient_id: int):
        """Delete a recipient."""
        return await self._do(service.delete, recipient_id, told="Deleted.")

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def save_general(self, form: dict):
        """Save the general settings."""
        self._close()
        given = GeneralForm(**{name: form[name] for name in GENERAL if isinstance(form.get(name), str)})
        return await self._do(service.save_general, given, told="Saved.")

    @rx.event
    @guard.requires(Permission.NOTIFICATIONS_MANAGE)
    async def send_test(self):
        """Mail a test to every recipient."""
        count = await db.work(service.send_test, guard.actor())
        told = f"A test goes to {count} {'recipient' if count == 1 else 'recipients'}."
        return NoticeState.tell("green", told)

    async def _do(self, act: Callable[..., Any], *given: Any, told: str) -> Any:
        """One change, then the page as it is now. What refuses it is said where the user looks."""
        self.errors, self.error = {}, ""
        try:
            changed = await db.work(act, guard.actor(), *given)
        except NotFound:
            self._close()
            await self._show()
            raise
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return None
        self._close()
        await self._show()
        return NoticeState.tell("green", "Nothing was changed." if changed is False else told)

    async def _show(self) -> None:
        found = await db.look(service.overview, guard.actor())
        self.recipients = [
            RecipientLine(
                id=one.id,
                email=one.email,
                name=one.name,
                kinds=list(one.kinds),
                words=", ".join(KINDS[kind] for kind in one.kinds),
            )
            for one in found.recipients
        ]
        self.general = {name: getattr(found.general, name) for name in GENERAL}
        self.radar_enabled = found.radar_enabled
        self.when = f"The summary comes at {HOUR}:00 AM ({found.time_zone})."
        self.loading = False

    def _open(self, dialog: str, recipient_id: int) -> None:
        self._close()
        found = [line for line in self.recipients if line["id"] == recipient_id]
        if found:
            self.dialog, self.chosen = dialog, found[0]

    def _close(self) -> None:
        self.dialog, self.errors, self.error = "", {}, ""
