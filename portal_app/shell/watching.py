"""Keeps an open page up to date without a reload."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from reflex.state import BaseState

from portal_app import db, live
from portal_app.auth import guard
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.auth.state import SessionState
from portal_app.errors import PortalError
from portal_app.live import hub
from portal_app.shell import outages
from portal_app.shell.state import show_banners

SECONDS_BETWEEN_CHECKS = 20
# Of a partner whose backups report all night, a page that takes long to make rests so many times as long.
RESTS = 10
SECONDS_AFTER_OUTAGE = 2.0
Step = Callable[[Actor], Awaitable[None]]


async def number_now(actor: Actor) -> int:
    """The number of the actor's partner, to ask for before the page is read that `keep_fresh` shall watch from it."""
    return await number_of(actor.partner_id)


async def number_of(partner_id: int | None) -> int:
    """The same for an operator's page about a partner."""
    return await db.glance(live.number_of, partner_id) if partner_id is not None else 0


async def keep_fresh(
    state: BaseState,
    partner_id: int | None,
    seen: int,
    permission: Permission | None,
    refresh: Step,
    *,
    prepare: Step | None = None,
) -> None:
    """Call `refresh` with a fresh actor, under the state's lock, after each change of the partner's; then the banners.

    `prepare` comes before it, without the lock, for what takes long: the tab's own clicks don't wait for it. Ends when
    the page is left, the tab is closed, or the right to see it is gone. One at a time for a tab's page.
    Without a permission it is a page of the provider's operators.
    """
    needed = () if permission is None else (permission,)
    async with state:
        page = (state.router.session.client_token, state.router.url.path)
    if partner_id is None or page in hub.pages:
        return
    hub.pages.add(page)
    try:
        while await _still_open(state, page):
            number = await hub.wait(partner_id, seen, SECONDS_BETWEEN_CHECKS)
            if number != seen and await _still_open(state, page):
                begun = time.monotonic()
                if await _through_outage(_renew(state, needed, refresh, prepare)):
                    seen = number
                await asyncio.sleep(RESTS * (time.monotonic() - begun))
    except PortalError as refusal:
        # Who signed out elsewhere is sent to sign in by the next click; a right that was taken away is told of here.
        async with state:
            found = await guard.identify(state, in_use=False)
            if found.signed_in or found.kind == ActorKind.ELSEWHERE:
                (await state.get_state(SessionState)).denied = refusal.sentence
    finally:
        hub.pages.discard(page)


async def keep_own_fresh(state: Any, permission: Permission, refresh: Step, *, prepare: Step | None = None) -> None:
    """The same for a page of the reader's own partner, whose `_number` it shows."""
    async with state:
        seen, partner_id = state._number, guard.actor().partner_id
    await keep_fresh(state, partner_id, seen, permission, refresh, prepare=prepare)


async def _renew(state: BaseState, needed: tuple[Permission, ...], refresh: Step, prepare: Step | None) -> None:
    if prepare is not None:
        async with state:
            actor = await guard.check_again(state, *needed)
        await prepare(actor)
    async with state:
        await refresh(await guard.check_again(state, *needed))
        await show_banners(state)


async def _through_outage(step: Awaitable[object]) -> bool:
    """Take the step; False when another server did not answer, after a while in which it may have come back."""
    try:
        await step
    except Exception as fault:
        if not outages.is_outage(fault):
            raise
        await asyncio.sleep(SECONDS_AFTER_OUTAGE)
        return False
    return True


async def keep_asking(
    state: BaseState, permission: Permission | None, ask: Callable[[Actor], Awaitable[float]]
) -> None:
    """Call `ask` with a fresh actor, under the state's lock, again after as many seconds as it gives.

    Without a permission `ask` itself refuses who may not see the page. Ends as `keep_fresh` does, which tells of a
    right that is gone. One at a time for a tab's page.
    """
    async with state:
        page = (state.router.session.client_token, state.router.url.path)
    if (asking := (page[0], f"{page[1]}#")) in hub.pages:
        return
    hub.pages.add(asking)
    try:
        while await _still_open(state, page):
            rest = 0.0

            async def once() -> None:
                nonlocal rest
                async with state:
                    rest = await ask(await guard.check_again(state, *([permission] if permission else [])))

            await _through_outage(once())
            await asyncio.sleep(rest)
    except PortalError:
        return
    finally:
        hub.pages.discard(asking)


async def _still_open(state: BaseState, page: tuple[str, str]) -> bool:
    # First: to look at the state of a closed tab would make a new one, if it was forgotten.
    if not hub.is_connected(page[0]):
        return False
    here = False

    async def look() -> None:
        nonlocal here
        async with state:
            here = state.router.url.path == page[1]

    while not await _through_outage(look()) and hub.is_connected(page[0]):
        pass
    return here and hub.is_connected(page[0])
