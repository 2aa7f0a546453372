"""The state of Settings > API. A new token passes through to the page and is never kept."""

from datetime import datetime, timedelta
from typing import TypedDict

import reflex as rx

from portal_app import clock, db
from portal_app.api_tokens import repository
from portal_app.api_tokens.rows import TokenRow, TokenState
from portal_app.auth import guard, tokens
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import ACCOUNT_OPERATIONS, IN_ORDER, Permission
from portal_app.errors import Invalid, PortalError
from portal_app.shell.state import NoticeState, enter
from portal_app.times import Moment, moment

# The field of the page that a new token is written into.
FIELD = "new-token"
LIVES = (("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("never", "Never"))
_LOOKS = {
    TokenState.ACTIVE: ("green", "Active"),
    TokenState.STOPPED: ("orange", "Stopped"),
    TokenState.EXPIRED: ("grey", "Expired"),
    TokenState.REVOKED: ("grey", "Revoked"),
}
_NEVER_USED = Moment(text="Never", exact="")


class TokenLine(TypedDict):
    """One token in words."""

    id: int
    name: str
    permissions: str
    created_by: str
    expires: Moment
    used: Moment
    state: str
    state_kind: str
    lives: bool


class Grant(TypedDict):
    """A permission that may be given to a token."""

    key: str
    label: str


class ApiTokensState(rx.State):
    """The list, and the dialog that is open: "new", "revoke" or none."""

    loading: bool = True
    may_create: bool = False
    lines: list[TokenLine] = []
    portal_grants: list[Grant] = []
    account_grants: list[Grant] = []
    dialog: str = ""
    revoking_id: int = 0
    revoking_name: str = ""
    created: str = ""
    errors: dict[str, str] = {}
    error: str = ""

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def load(self):
        """Show the tokens."""
        actor = await enter(self)
        self._close()
        self.created, self.may_create = "", actor.all_accounts
        self.portal_grants = _grants(actor.permissions - ACCOUNT_OPERATIONS)
        self.account_grants = _grants(actor.permissions & ACCOUNT_OPERATIONS)
        await self._show(actor)

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def open_new(self):
        """The dialog for a new token."""
        self._close()
        self.dialog, self.created = "new", ""

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def open_revoke(self, token_id: int):
        """The question before a token is revoked."""
        self._close()
        for line in self.lines:
            if line["id"] == token_id and line["lives"]:
                self.dialog, self.revoking_id, self.revoking_name = "revoke", token_id, line["name"]

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def close(self):
        """Close the dialog; nothing is changed."""
        self._close()

    @rx.event
    @guard.requires(Permission.API_MANAGE)
    async def forget(self):
        """The new token is noted: it leaves the page."""
        self.created = ""
        return rx.set_value(FIELD, "")

    @rx.event
    @guard.requires(Permission.API_MANAGE, fresh=True)
    async def create(self, form: dict):
        """Make a token and write it into the page, once."""
        self.errors, self.error = {}, ""
        actor = guard.actor()
        try:
            name, chosen, ends_at = _read(form, actor)
            token = await db.work(tokens.create_token, actor, actor.partner_id, name, chosen, ends_at=ends_at)
        except PortalError as refusal:
            self.errors, self.error = getattr(refusal, "fields", {}), refusal.sentence
            return
        self._close()
        self.created = name.strip()
        await self._show(actor)
        yield rx.set_value(FIELD, token)

    @rx.event
    @guard.requires(Permission.API_MANAGE, fresh=True)
    async def revoke(self, token_id: int):
        """End a token for good."""
        actor = guard.actor()
        self._close()
        name = await db.work(tokens.revoke, actor, token_id)
        await self._show(actor)
        return NoticeState.tell("green", f"“{name}” is revoked.")

    async def _show(self, actor: Actor) -> None:
        rows = await db.look(repository.tokens, actor)
        self.lines = [_line(row, actor.time_zone) for row in rows]
        self.loading = False

    def _close(self) -> None:
        self.dialog, self.errors, self.error = "", {}, ""


def _read(form: dict, actor: Actor) -> tuple[str, frozenset[Permission], datetime | None]:
    """What the form holds: a tick box for each permission sends its key's name only when it is ticked."""
    chosen = frozenset(permission for permission in actor.permissions if form.get(permission.value))
    life = form.get("life", "")
    if life not in dict(LIVES):
        raise Invalid(life="Choose one of the list.")
    name = form.get("name", "")
    return str(name), chosen, _end(life)


def _end(life: str) -> datetime | None:
    return None if life == "never" else clock.now() + timedelta(days=int(life))


def _grants(permissions: frozenset[Permission]) -> list[Grant]:
    return [Grant(key=p.value, label=p.label) for p in IN_ORDER if p in permissions]


def _line(row: TokenRow, time_zone: str) -> TokenLine:
    kind, words = _LOOKS[row.state]
    labels = [p.label for p in IN_ORDER if p.value in row.permissions]
    return TokenLine(
        id=row.id,
        name=row.name,
        permissions=", ".join(labels),
        created_by=row.created_by,
        expires=moment(row.ends_at, time_zone) if row.ends_at else Moment(text="Never", exact=""),
        used=moment(row.used_at, time_zone) if row.used_at else _NEVER_USED,
        state=words,
        state_kind=kind,
        lives=row.state in {TokenState.ACTIVE, TokenState.STOPPED},
    )
