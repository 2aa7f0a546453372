"""The state of a partner's overview: contact data, people, and what an operator does about its access."""

from collections.abc import Callable
from typing import Any, TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import PortalError
from portal_app.facts import Fact
from portal_app.ip_restrictions import service as restrictions
from portal_app.models import UserState
from portal_app.operator import partners
from portal_app.operator.partner_frame_state import enter_partner, show_head
from portal_app.operator.rows import PartnerDetails, PartnerForm, PersonRow
from portal_app.operator.words import second_factor
from portal_app.shell.listing import assign
from portal_app.shell.state import NoticeState
from portal_app.times import Moment, moment
from portal_app.users.rows import ROLES, STATES

FIELDS = ("name", "email", "phone", "address", "time_zone", "currency")


class PersonLine(TypedDict):
    """Somebody of the partner, in words."""

    id: int
    email: str
    name: str
    role: str
    two_factor: str
    two_factor_kind: str
    last: Moment
    state: str
    state_kind: str
    invited: bool


class PartnerOverviewState(rx.State):
    """One partner. `asking` is the open question: "suspend", "reactivate", "restrictions", or none."""

    ready: bool = False
    facts: list[Fact] = []
    people: list[PersonLine] = []
    people_count: str = ""
    restricted: bool = False
    currency_fixed: bool = True
    saved: dict[str, str] = {}
    errors: dict[str, str] = {}
    error: str = ""
    asking: str = ""
    busy: bool = False

    _code: str = ""

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the partner of the address."""
        self.reset()
        if entered := await enter_partner(self):
            actor, self._code = entered
            await self._show(actor)

    @rx.event
    @guard.operators()
    async def save(self, form: dict):
        """Keep the contact data."""
        if self.busy or not self.ready:
            return
        self.busy, self.errors, self.error = True, {}, ""
        yield
        typed = {name: value for name in FIELDS if isinstance(value := form.get(name), str)}
        wanted = PartnerForm(**self.saved | {name: value[:2_000] for name, value in typed.items()})
        try:
            changed = await db.work(partners.save, guard.actor(), self._code, PartnerForm(**self.saved), wanted)
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return
        finally:
            self.busy = False
        await self._show(guard.actor())
        yield NoticeState.tell("green", "Saved." if changed else "Nothing was changed.")

    @rx.event
    @guard.operators()
    async def resend(self, user_id: int):
        """Send somebody who has not confirmed yet a new link."""
        email = await db.work(partners.resend, guard.actor(), self._code, user_id)
        return NoticeState.tell("green", f"A new invitation is on its way to {email}. The link before it is void.")

    @rx.event
    @guard.operators()
    async def ask(self, act: str):
        """Ask whether the partner's access is to be changed."""
        if self.ready and act in _ACTS:
            self.asking, self.errors = act, {}

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave the partner as it is."""
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
        act, told = _ACTS[self.asking]
        given = () if self.asking == "restrictions" else (reason[:2_000] if isinstance(reason, str) else "",)
        try:
            await db.work(act, guard.actor(), self._code, *given)
        except PortalError as refusal:
            self.errors = refusal.fields or {"reason": refusal.sentence}
            return
        finally:
            self.busy = False
        self.asking = ""
        await self._show(guard.actor())
        yield NoticeState.tell("green", told)

    async def _show(self, actor: Actor) -> None:
        found = await db.look(partners.details, actor, self._code)
        await show_head(self, actor, self._code)
        shown = {
            "ready": True,
            "facts": _facts(found, actor.time_zone),
            "people": [_person(row, actor.time_zone) for row in found.people],
            "people_count": f"{found.people_total:,} {'user' if found.people_total == 1 else 'users'}",
            "restricted": found.ip_restricted,
            "currency_fixed": found.currency_fixed,
            "saved": {name: getattr(found.form, name) for name in FIELDS},
        }
        assign(self, shown)


_ACTS: dict[str, tuple[Callable[..., Any], str]] = {
    "suspend": (partners.suspend, "The partner is suspended. Its administrators were written to."),
    "reactivate": (partners.reactivate, "The partner can come in again. Its administrators were written to."),
    "restrictions": (restrictions.turn_off, "IP restrictions are off. The list of addresses stays."),
}


def _facts(found: PartnerDetails, time_zone: str) -> list[Fact]:
    accounts = f"{found.accounts:,}" + (f", {found.taken:,} only for the customer" if found.taken else "")
    restricted = f"{'On' if found.ip_restricted else 'Off'}, {found.trusted:,} trusted"
    return [
        _fact("Partner ID", found.head.code),
        _fact("Since", **moment(found.created_at, time_zone)),
        _fact("Accounts", accounts),
        _fact("Last sign-in", **moment(found.last_sign_in_at, time_zone)),
        _fact("IP restrictions", restricted),
    ]


def _fact(label: str, text: str, exact: str = "") -> Fact:
    return Fact(label=label, text=text, exact=exact)


def _person(row: PersonRow, time_zone: str) -> PersonLine:
    state, kind = STATES[UserState(row.state)]
    factor, factor_kind = second_factor(row)
    return PersonLine(
        id=row.id,
        email=row.email,
        name=row.name,
        role=ROLES[row.role],
        two_factor=factor,
        two_factor_kind=factor_kind,
        last=moment(row.last_sign_in_at, time_zone),
        state=state,
        state_kind=kind,
        invited=row.state == UserState.INVITED,
    )
