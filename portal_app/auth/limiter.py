"""How often someone may try to sign in. Delays grow with the windows; none is for ever."""

import time
from functools import cache

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from portal_app.errors import Denied
from portal_app.settings import settings


@cache
def _limiter() -> MovingWindowRateLimiter:
    url = settings().redis_url
    return MovingWindowRateLimiter(RedisStorage(url) if url else MemoryStorage())


def reset_limits() -> None:
    """Forget all attempts (tests)."""
    _limiter.cache_clear()


def _pair() -> tuple[RateLimitItem, ...]:
    # Windows of growing length are what makes the delay grow.
    few = settings().sign_in_attempts
    return RateLimitItemPerMinute(few), RateLimitItemPerMinute(few * 3, 15), RateLimitItemPerHour(few * 8, 6)


def _address() -> tuple[RateLimitItem, ...]:
    # An office behind one address may have many people: wider.
    return (RateLimitItemPerMinute(settings().sign_in_attempts * 12, 15),)


def _account() -> tuple[RateLimitItem, ...]:
    # Many strangers at one account: wide and short, or they could lock its owner out.
    return (RateLimitItemPerMinute(settings().sign_in_attempts * 10, 5),)


def count_attempt(email: str, address: str) -> None:
    """Count one attempt, or raise Denied with the seconds to wait. A success is taken back by `forgive`."""
    counted = [(item, ("pair", email, address)) for item in _pair()]
    counted += [(item, ("address", address)) for item in _address()]
    counted += [(item, ("account", email)) for item in _account()]
    allowed = [_limiter().hit(item, *keys) for item, keys in counted]
    if not all(allowed):
        waits = [_limiter().get_window_stats(item, *keys).reset_time for item, keys in counted]
        seconds = max(1, round(min(w for w, ok in zip(waits, allowed, strict=True) if not ok) - time.time()))
        raise Denied(f"Too many attempts. Please wait {seconds} seconds and try again.")


def forgive(email: str, address: str) -> None:
    """A right password clears what was counted for this account from this address."""
    for item in _pair():
        _limiter().clear(item, "pair", email, address)
    for item in _account():
        _limiter().clear(item, "account", email)
