"""Choosing accounts out of many: only what was changed is kept, however many there are."""

from collections.abc import Sequence
from dataclasses import replace

from portal_app.errors import Conflict
from portal_app.users.rows import Change

MOST_TICKS = 1_000
MOST_CHANGES = 30
ENOUGH = "These are many changes at once. Please save them before you go on."

Changes = tuple[Change, ...]


def tick(changes: Changes, account_id: int, ticked: bool) -> Changes:
    """The changes and one account more; Conflict when there are too many to be kept."""
    found = [replace(c, ids=c.ids - {account_id}) if c.words is None else c for c in changes]
    tail = [c for c in found[_after_last_search(found) :] if c.ids]
    head = found[: _after_last_search(found)]
    same = next((c for c in tail if c.ticked == ticked), Change(ticked))
    tail = [*(c for c in tail if c.ticked != ticked), replace(same, ids=same.ids | {account_id})]
    return _checked((*head, *tail))


def tick_all(changes: Changes, words: str, ticked: bool) -> Changes:
    """The changes and all accounts whose name or email holds the words; without words, all there are."""
    before = changes if words else ()
    return _checked((*(c for c in before if c.ids or c.words is not None), Change(ticked, words=words)))


def _after_last_search(changes: Sequence[Change]) -> int:
    return max((i + 1 for i, c in enumerate(changes) if c.words is not None), default=0)


def _checked(changes: Changes) -> Changes:
    if len(changes) > MOST_CHANGES or sum(len(c.ids) for c in changes) > MOST_TICKS:
        raise Conflict(ENOUGH)
    return changes
