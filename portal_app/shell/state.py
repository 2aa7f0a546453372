"""What the frame shows: who is signed in, where they may go, what a search found."""

import reflex as rx
from reflex.state import BaseState
from sqlmodel import Session

from portal_app import clock, db
from portal_app.accounts import service as accounts
from portal_app.auth import guard
from portal_app.auth.actor import READERS, Actor
from portal_app.auth.permissions import Permission
from portal_app.auth.state import SessionState
from portal_app.billing import bills
from portal_app.billing.banners import Banner, banners_for
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.billing.words import CONSOLIDATED
from portal_app.money import amount_text
from portal_app.news import service as news
from portal_app.shell import outages
from portal_app.shell.confirm_state import forget
from portal_app.shell.navigation import NavLink, billing_for, home_of, links_for, settings_for
from portal_app.users import service as users

SHORTEST_SEARCH = 2
# In seconds.
COUNTED_EVERY = 60


class ShellState(rx.State):
    """The frame of the signed-in pages."""

    email: str = ""
    name: str = ""
    home: str = "/"
    links: list[NavLink] = []
    settings_tabs: list[NavLink] = []
    billing_tabs: list[str] = []
    banners: list[Banner] = []
    may_search: bool = False
    search: str = ""
    found: list[NavLink] = []
    searched: bool = False
    # Reads articles and news; how many of the news are new.
    reads: bool = False
    unread: int = 0

    # When that was counted last, in seconds.
    _counted: float = 0
    # Where the tab is, and where it came from.
    _path: str = ""
    _path_before: str = ""

    @rx.event
    @guard.requires(Permission.BILLING_VIEW, Permission.DASHBOARD_VIEW, Permission.USERS_MANAGE)
    async def find(self, text: str):
        """Look for accounts, invoices and users while the user types in the header."""
        self.search = str(text)[:120]
        self.searched = len(self.search.strip()) >= SHORTEST_SEARCH
        self.found = await db.look(_find, guard.actor(), self.search) if self.searched else []

    @rx.event
    @guard.signed_in()
    async def clear(self):
        """Empty the search."""
        self.search, self.found, self.searched = "", [], False

    @rx.event
    @guard.signed_in()
    async def introduce(self):
        """Show the frame of a page that was refused; whose start page is another goes on to it."""
        self._show(guard.actor())
        if self.router.url.path == "/" and self.home != "/":
            return rx.redirect(self.home, replace=True)
        return None

    def _show(self, actor: Actor) -> None:
        links, tabs = links_for(actor), settings_for(actor)
        # Not through the attributes: comparing with a watched list costs as much as reading the actor.
        shown = [self.get_value(name) for name in ("email", "name", "links", "settings_tabs")]
        if shown != [actor.email, actor.name, links, tabs]:
            self.email, self.name, self.links, self.home = actor.email, actor.name, links, home_of(actor)
            self.settings_tabs, self.reads = tabs, actor.kind in READERS
            finds = {Permission.BILLING_VIEW, Permission.DASHBOARD_VIEW, Permission.USERS_MANAGE}
            self.may_search = bool(finds & actor.permissions)
        # Only the pages of Billing need its tabs.
        if self.rx_router_url.path.startswith("/billing/") and self.billing_tabs != (tabs := billing_for(actor)):
            self.billing_tabs = tabs
        if self.search:
            self.search, self.found, self.searched = "", [], False


def _find(session: Session, actor: Actor, words: str) -> list[NavLink]:
    """What the actor may find: invoices by their number, accounts, then the partner's own people."""
    return _invoices(session, actor, words) + _accounts_and_people(session, actor, words)


def _invoices(session: Session, actor: Actor, words: str) -> list[NavLink]:
    rows = bills.find(session, actor, words) if actor.may(Permission.BILLING_VIEW) else []
    return [
        NavLink(
            label=f"{row.number} · {row.account_name or CONSOLIDATED} · {amount_text(row.amount_minor, row.currency)}",
            href=BillQuery(BillList.UNPAID if row.open else BillList.HISTORY, search=str(row.number)).address(),
            icon="receipt-text",
        )
        for row in rows
    ]


def _accounts_and_people(session: Session, actor: Actor, words: str) -> list[NavLink]:
    rows = accounts.find(session, actor, words) if actor.may(Permission.DASHBOARD_VIEW) else []
    found = [NavLink(label=f"{row.name} · {row.email}", href=f"/accounts/{row.id}", icon="database") for row in rows]
    people = users.find(session, actor, words) if actor.may(Permission.USERS_MANAGE) else []
    return found + [
        NavLink(label=f"{row.name} · {row.email}", href=f"/settings/users/{row.id}", icon="user") for row in people
    ]


class NoticeState(rx.State):
    """The last outcome, in words. Kept apart from the session's state: any handler may chain to it."""

    text: str = ""
    kind: str = "green"

    _for_next_page: str = ""

    @rx.event
    @guard.public("shows a sentence in the caller's own tab")
    async def tell(self, kind: str, text: str):
        """Show an outcome."""
        self.kind = kind if kind in {"green", "orange", "red", "grey"} else "grey"
        self.text = str(text)[:500]

    @rx.event
    @guard.public("hides a sentence in the caller's own tab")
    async def dismiss(self):
        """Hide the outcome."""
        self.text = ""

    def _turn_page(self) -> None:
        text, self._for_next_page = self._for_next_page, ""
        if text or self.text or outages.was_told(self.rx_router_session.client_token):
            self.kind, self.text = "green", text


async def enter(state: BaseState) -> Actor:
    """Call first in every page's load: shows the frame for the actor; forgets the last refusal and outcome, and what

    waited on the page before for a proof of who is there.
    """
    # The banners first: a load that is broken off must not leave a frame that keeps no room for them.
    await show_banners(state)
    shell = await state.get_state(ShellState)
    shell._path_before, shell._path = shell._path, state.router.url.path
    # News are rare: a click asks for their number only once in a while.
    if clock.now().timestamp() - shell._counted > COUNTED_EVERY:
        await show_unread(state)
    return await stay(state)


async def show_unread(state: BaseState) -> None:
    """Count the news that the person has not read. Call again after some were read."""
    shell, found = await state.get_state(ShellState), await db.look(news.unread, guard.actor())
    shell._counted = clock.now().timestamp()
    if shell.unread != found:
        shell.unread = found


async def page_before(state: BaseState) -> str:
    """The path of the page on which the tab was before the one that it entered last; empty when there was none."""
    return (await state.get_state(ShellState))._path_before


async def stay(state: BaseState) -> Actor:
    """The same for another question on a page that stays: its banners do too, until something changes them."""
    actor = guard.actor()
    (await state.get_state(ShellState))._show(actor)
    session = await state.get_state(SessionState)
    if session.denied:
        session.denied = ""
    (await state.get_state(NoticeState))._turn_page()
    await forget(state)
    return actor


async def show_banners(state: BaseState) -> None:
    """Call again after something was paid on a page that stays."""
    shell, found = await state.get_state(ShellState), await db.look(banners_for, guard.actor())
    if shell.banners != found:
        shell.banners = found


async def tell_on_next_page(state: BaseState, sentence: str) -> None:
    """Show a good outcome on the page that the handler goes to."""
    (await state.get_state(NoticeState))._for_next_page = sentence
