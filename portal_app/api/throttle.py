"""How many requests a token may send."""

import time
from functools import cache

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from portal_app.api.problems import Refusal
from portal_app.settings import settings

# A partner's engine that reports a hundred thousand runs in a night sends about 200 a minute.
PER_MINUTE = 1200


@cache
def _limiter() -> FixedWindowRateLimiter:
    url = settings().redis_url
    return FixedWindowRateLimiter(RedisStorage(url, wrap_exceptions=True) if url else MemoryStorage())


def reset() -> None:
    """Forget what was counted (tests)."""
    _limiter.cache_clear()


def _rate() -> RateLimitItem:
    return RateLimitItemPerMinute(PER_MINUTE)


def count(token_hash: str) -> None:
    """Count one request of the token. Raises Refusal (429) with the seconds to wait when there were too many."""
    if _limiter().hit(_rate(), "api", token_hash):
        return
    ends = _limiter().get_window_stats(_rate(), "api", token_hash).reset_time
    seconds = max(1, round(ends - time.time()))
    told = f"Too many requests with this token. Please wait {seconds} seconds."
    raise Refusal(429, told, headers={"Retry-After": str(seconds)})
