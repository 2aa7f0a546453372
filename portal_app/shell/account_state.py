"""What the pages of a customer's account share: whose it is, how it stands, where one may go in it."""

import reflex as rx
from reflex.state import BaseState
from sqlmodel import Session

from portal_app import db, live
from portal_app.accounts import service as accounts
from portal_app.accounts.rows import AccountDetails
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.account_rows import badges
from portal_app.errors import NotFound
from portal_app.shell.account_tabs import tabs_for
from portal_app.shell.listing import assign
from portal_app.shell.navigation import NavLink
from portal_app.shell.state import enter, page_before
from portal_app.shell.watching import Step, keep_fresh


class AccountFrameState(rx.State):
    """The head of the account that the address names."""

    loading: bool = True
    missing: bool = False
    by_partner: bool = False
    account_id: int = 0
    title: str = ""
    status: str = ""
    status_kind: str = "grey"
    backup: str = ""
    backup_kind: str = "grey"
    tabs: list[NavLink] = []

    _partner_id: int | None = None
    _number: int = 0
    # The account whose opening is in the audit.
    _opened: int = 0

    def _show(self, actor: Actor, details: AccountDetails) -> None:
        (status, status_kind), (backup, backup_kind) = badges(details)
        self._partner_id = details.partner_id
        shown = {
            "loading": False,
            "missing": False,
            "by_partner": actor.may(Permission.DASHBOARD_VIEW),
            "account_id": details.id,
            "title": details.name,
            "status": status,
            "status_kind": status_kind,
            "backup": backup,
            "backup_kind": backup_kind,
            "tabs": tabs_for(actor, details.id),
        }
        assign(self, shown)


async def enter_account(state: BaseState) -> tuple[Actor, AccountDetails] | None:
    """Call first in the load of an account's page: shows the frame; None when there is no such account.

    Opening the account is audited in the transaction that reads it; going from tab to tab within it is not.
    """
    actor = await enter(state)
    before = await page_before(state)
    frame = await state.get_state(AccountFrameState)
    try:
        account_id = accounts.id_in(state.router.url.path, "accounts")
        within = frame._opened == account_id and _is_within(before, account_id)
        details, frame._number = await (
            db.look(_read, actor, account_id) if within else db.work(_opened, actor, account_id)
        )
    except NotFound:
        frame.reset()
        frame.missing = True
        return None
    frame._opened = account_id
    frame._show(actor, details)
    return actor, details


async def watch_account(state: BaseState, refresh: Step) -> None:
    """For the background handler of an account's page: shows the head and calls `refresh` after each change."""
    async with state:
        frame = await state.get_state(AccountFrameState)
        partner_id, seen, account_id = frame._partner_id, frame._number, frame.account_id

    async def show(actor: Actor) -> None:
        frame = await state.get_state(AccountFrameState)
        try:
            frame._show(actor, await db.look(accounts.account_details, actor, account_id))
            await refresh(actor)
        except NotFound:
            assign(frame, {"missing": True})

    await keep_fresh(state, partner_id, seen, Permission.ACCOUNTS_ACCESS, show)


def _is_within(path: str, account_id: int) -> bool:
    return f"{path}/".startswith(f"/accounts/{account_id}/")


def _opened(session: Session, actor: Actor, account_id: int) -> tuple[AccountDetails, int]:
    details = accounts.open_account(session, actor, account_id)
    return details, live.number_of(session, details.partner_id)


def _read(session: Session, actor: Actor, account_id: int) -> tuple[AccountDetails, int]:
    details = accounts.account_details(session, actor, account_id)
    return details, live.number_of(session, details.partner_id)
