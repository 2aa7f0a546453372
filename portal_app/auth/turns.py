"""Password hashing beside the event loop, a few at a time: many sign-ins at once must not take everyone's processor."""

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

P = ParamSpec("P")
R = TypeVar("R")

# One processor stays free for the event loop, and the threads of the database are never taken for waiting.
AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
_turns: RunVar[CapacityLimiter] = RunVar("turns")


async def in_turn(do: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `do` in a thread when it is its turn. For whatever hashes or checks a password."""
    return await anyio.to_thread.run_sync(lambda: do(*args, **kwargs), limiter=_limiter())


def _limiter() -> CapacityLimiter:
    try:
        return _turns.get()
    except LookupError:
        _turns.set(CapacityLimiter(AT_ONCE))
        return _turns.get()
