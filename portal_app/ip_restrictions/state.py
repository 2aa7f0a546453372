"""The state of IP Restrictions."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.permissions import Permission
from portal_app.errors import NotFound, PortalError
from portal_app.ip_restrictions import addresses, service
from portal_app.ip_restrictions.rows import EntryForm
from portal_app.shell.state import NoticeState, enter

FIELDS = ("description", "addresses", "first", "last")


class EntryLine(TypedDict):
    """One entry in words; `name` is what its buttons call it."""

    id: int
    description: str
    addresses: str
    name: str


NO_ENTRY = EntryLine(id=0, description="", addresses="", name="")


class IpRestrictionsState(rx.State):
    """The list, and the one dialog that is open: "add", "edit", "delete" or none."""

    loading: bool = True
    own_address: str = ""
    is_own_trusted: bool = False
    is_on: bool = False
    entries: list[EntryLine] = []
    dialog: str = ""
    chosen: EntryLine = NO_ENTRY
    form: dict[str, str] = dict.fromkeys(FIELDS, "")
    errors: dict[str, str] = {}
    error: str = ""
    busy: bool = False

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE)
    async def load(self):
        """Show the list."""
        await enter(self)
        self._close()
        await self._show()

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE)
    async def open_add(self):
        """The dialog for a new entry."""
        self._close()
        self.dialog, self.chosen, self.form = "add", NO_ENTRY, dict.fromkeys(FIELDS, "")

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE)
    async def open_edit(self, entry_id: int):
        """The dialog with an entry of the list."""
        self._open("edit", entry_id)
        listed, first, last = addresses.split(self.chosen["addresses"])
        self.form = {
            "description": self.chosen["description"],
            "addresses": listed,
            "first": first,
            "last": last,
        }

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE)
    async def open_delete(self, entry_id: int):
        """The question before an entry is deleted."""
        self._open("delete", entry_id)

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE)
    async def close(self):
        """Close the dialog; nothing is changed."""
        self._close()

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE, fresh=True)
    async def save(self, form: dict):
        """Save the dialog; faults stand by their fields, and what was typed stays."""
        given = EntryForm(**{name: form[name] for name in FIELDS if isinstance(form.get(name), str)})
        entry = str(form.get("entry", ""))
        if entry.isdecimal() and len(entry) < 10:
            return await self._do(service.change, int(entry), given, told="Saved.")
        return await self._do(service.add, given)

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE, fresh=True)
    async def delete(self, entry_id: int):
        """Delete an entry."""
        return await self._do(service.delete, entry_id, told="Deleted.")

    @rx.event
    @guard.requires(Permission.SECURITY_MANAGE, fresh=True)
    async def switch(self, is_on: bool):
        """Turn the restrictions on or off."""
        told = f"Trusted IP Addresses is {'on' if is_on else 'off'}."
        return await self._do(service.switch, is_on, told=told)

    async def _do(self, act: Callable[..., Any], *given: Any, told: str = "") -> Any:
        """One change, then the list as it is now. What refuses it is said where the user looks."""
        self.errors, self.error = {}, ""
        try:
            said = await db.work(act, guard.actor(), *given)
        except PortalError as refusal:
            self.errors = getattr(refusal, "fields", {})
            if not self.dialog or isinstance(refusal, NotFound):
                self._close()
                await self._show()
                return NoticeState.tell("red", refusal.sentence)
            self.error = refusal.sentence
            return None
        self._close()
        await self._show()
        return NoticeState.tell("green", said if isinstance(said, str) else told)

    async def _show(self) -> None:
        found = await db.look(service.overview, guard.actor())
        self.own_address, self.is_own_trusted, self.is_on = found.own_address, found.is_own_trusted, found.is_on
        self.entries = [
            EntryLine(**asdict(entry), name=entry.description or entry.addresses) for entry in found.entries
        ]
        self.loading = False

    def _open(self, dialog: str, entry_id: int) -> None:
        self._close()
        found = [entry for entry in self.entries if entry["id"] == entry_id]
        if found:
            self.dialog, self.chosen = dialog, found[0]

    def _close(self) -> None:
        self.dialog, self.errors, self.error = "", {}, ""
