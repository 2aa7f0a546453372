"""How many requests a token may send."""

import time
from dataclasses import dataclass
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
    if _limiter.cache_info().currsize and settings().redis_url:
        _limiter().storage.reset()
    _limiter.cache_clear()


def _rate() -> RateLimitItem:
    return RateLimitItemPerMinute(PER_MINUTE)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a token stands after a request: how many it has left, and for how many seconds it has these."""

    counted: bool
    limit: int
    left: int
    seconds: int

    def headers(self) -> dict[str, str]:
        """It for the program, as many APIs tell it."""
        values = {"Limit": self.limit, "Remaining": self.left, "Reset": self.seconds}
        return {f"RateLimit-{name}": str(value) for name, value in values.items()}


def count(token_hash: str) -> Standing:
    """Count one request of the token."""
    counted = _limiter().hit(_rate(), "api", token_hash)
    found = _limiter().get_window_stats(_rate(), "api", token_hash)
    return Standing(counted, PER_MINUTE, found.remaining, max(1, round(found.reset_time - time.time())))


def check(standing: Standing) -> None:
    """Raise Refusal (429) with the seconds to wait when there were too many."""
    if not standing.counted:
        told = f"Too many requests with this token. Please wait {standing.seconds} seconds."
        raise Refusal(429, told, headers={"Retry-After": str(standing.seconds)})
