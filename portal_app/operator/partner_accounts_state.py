"""The state of a partner's accounts in the console: who may open each."""

from functools import partial
from typing import TypedDict

import reflex as rx

from portal_app import db
from portal_app.accounts.rows import STATUS
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import PortalError
from portal_app.models import AccountStatus
from portal_app.operator import access
from portal_app.operator.partner_frame_state import enter_partner
from portal_app.operator.query import AccountsQuery, partner_path
from portal_app.operator.rows import AccountAccess
from portal_app.paging import counted
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState

_ACTS = {"take": access.take, "give": access.give_back}


class AccessLine(TypedDict):
    """An account in words."""

    id: int
    name: str
    email: str
    status: str
    status_kind: str
    open: bool
    own_users: int


class PartnerAccountsState(ListState, rx.State):
    """A page of a partner's accounts. `asking` is the open question: "take", "give", or none."""

    loading: bool = True
    lines: list[AccessLine] = []
    access: str = ""
    sort: str = AccountsQuery.ORDER
    descending: bool = False
    path: str = ""
    asking: str = ""
    asked_name: str = ""
    asked_users: int = 0
    errors: dict[str, str] = {}
    busy: bool = False

    _code: str = ""
    _asked_id: int = 0

    @rx.event
    @guard.operators()
    async def load(self):
        """Show what the address asks for."""
        self.reset()
        if entered := await enter_partner(self):
            actor, self._code = entered
            self.path = partner_path(self._code, "accounts")
            await self._show(actor)

    @rx.event
    @guard.operators()
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        if self._code and self.router.url.path.rstrip("/").upper() == self.path.upper():
            await self._show(guard.actor())

    @rx.event
    @guard.operators()
    async def ask(self, account_id: int):
        """Ask whether the partner's access to an account is to be taken away, or given back."""
        if found := next((line for line in self.lines if line["id"] == account_id), None):
            self.asking, self._asked_id, self.errors = "take" if found["open"] else "give", account_id, {}
            self.asked_name, self.asked_users = found["name"], found["own_users"]

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave the account as it is."""
        self.asking = ""

    @rx.event
    @guard.operators()
    async def act(self, form: dict):
        """Do what was asked about."""
        if self.busy or self.asking not in _ACTS:
            return
        reason = form.get("reason", "")
        self.busy, self.errors = True, {}
        yield
        given = (self._code, self._asked_id, reason[:2_000] if isinstance(reason, str) else "")
        try:
            name = await db.work(_ACTS[self.asking], guard.actor(), *given)
        except PortalError as refusal:
            self.errors = refusal.fields or {"reason": refusal.sentence}
            return
        finally:
            self.busy = False
        told = "only the customer can open it now." if self.asking == "take" else "the partner can open it again."
        self.asking = ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", f"{name}: {told}")

    async def _show(self, actor: Actor) -> None:
        query = AccountsQuery.from_address(self.router.url.query_parameters, code=self._code)
        found, shown = await answer_to(query, partial(db.look, access.list_page, actor))
        count = counted(found.matching, found.total, "account")
        assign(self, {"lines": [_line(row) for row in found.rows], "count": count, "loading": False} | shown)


def _line(row: AccountAccess) -> AccessLine:
    status, kind = STATUS[AccountStatus(row.status)]
    return AccessLine(
        id=row.id,
        name=row.name,
        email=row.email,
        status=status,
        status_kind=kind,
        open=row.partner_access,
        own_users=row.own_users,
    )
