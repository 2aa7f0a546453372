"""Tells open pages that something of a partner's changed, whichever process changed them.

Triggers count every change of its accounts and bills in `partner_change`. One reader per process looks at those
numbers, for the partners that somebody watches, once a second, and as soon as another process says over Redis that it
wrote something: a single query on a primary key, and none while nobody watches.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy import bindparam, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from portal_app import db
from portal_app.models import PartnerChange
from portal_app.question import Question

log = logging.getLogger("portal.live")
SECONDS_BETWEEN_LOOKS = 1.0
SHORTEST_PAUSE = 0.05


class Hub:
    """Who watches which partner, and the newest number of each."""

    def __init__(self) -> None:
        self._watched: Counter[int] = Counter()
        self._numbers: dict[int, int] = {}
        self._changed = asyncio.Condition()
        self._hinted = asyncio.Event()
        self._ended = False
        self.pages: set[tuple[str, str]] = set()
        self.is_connected: Callable[[str], bool] = lambda _tab: False

    async def wait(self, partner_id: int, seen: int, seconds: float) -> int:
        """Wait until the partner's number differs from `seen`, or for so many seconds; gives the newest number."""
        self._watched[partner_id] += 1
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._ended or self._numbers.get(partner_id, seen) != seen)
        except TimeoutError:
            pass
        finally:
            self._watched[partner_id] -= 1
        return self._numbers.get(partner_id, seen)

    def hint(self) -> None:
        """Something was written: it is worth a look."""
        self._hinted.set()

    async def until_due(self) -> None:
        """Wait for a hint, or until the next look is due."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_BETWEEN_LOOKS):
                await self._hinted.wait()
        self._hinted.clear()

    async def end(self) -> None:
        """Nobody waits here any more: the process ends."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def look_for_changes(self) -> None:
        """Look once, and wake those who wait for what changed."""
        watched = [partner for partner, count in self._watched.items() if count > 0]
        if not watched:
            return
        found = await db.look(_numbers, watched)
        if found != {partner: self._numbers.get(partner) for partner in found}:
            async with self._changed:
                self._numbers |= found
                self._changed.notify_all()


hub = Hub()


_CHANGE = PartnerChange.__table__.c
_NUMBER = Question(select(_CHANGE.number).where(_CHANGE.partner_id == bindparam("partner_id")))


def number_of(session: Session, partner_id: int) -> int:
    """The partner's number now; for a session that only reads, as of its moment."""
    if not db.is_reading(session):
        return _number(session, partner_id)
    known: dict[int, int] = session.info.setdefault("numbers", {})
    if partner_id not in known:
        known[partner_id] = _number(session, partner_id)
    return known[partner_id]


def _number(session: Session, partner_id: int) -> int:
    found = _NUMBER.first(session, {"partner_id": partner_id})
    return found.number if found else 0


async def keep_looking() -> None:
    """The reader of this process; runs as long as the server does."""
    while True:
        await hub.until_due()
        try:
            await hub.look_for_changes()
        except SQLAlchemyError:
            log.warning("the database did not answer; live updates wait")
        await asyncio.sleep(SHORTEST_PAUSE)


def _numbers(session: Session, partners: Sequence[int]) -> dict[int, int]:
    wanted = select(col(PartnerChange.partner_id), col(PartnerChange.number))
    return {
        row.partner_id: row.number for row in session.execute(wanted.where(col(PartnerChange.partner_id).in_(partners)))
    }
