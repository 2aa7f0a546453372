"""How often someone may try to sign in. Delays grow with the windows; none is for ever."""

import time
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from portal_app.errors import Denied
from portal_app.settings import settings

# Where somebody signed in within this time, strangers' attempts from elsewhere don't count.
_KNOWN = RateLimitItemPerDay(1, 30)
# Of a million codes three are right at a time.
_CODES = (RateLimitItemPerMinute(10, 15), RateLimitItemPerDay(50))
_making = Lock()


def _limiter() -> MovingWindowRateLimiter:
    # Made once even when the first attempts come at the same moment: each store would count for itself.
    with _making:
        return _made()


@cache
def _made() -> MovingWindowRateLimiter:
    url = settings().redis_url
    return MovingWindowRateLimiter(RedisStorage(url) if url else MemoryStorage())


def reset_limits() -> None:
    """Forget all attempts (tests)."""
    if _made.cache_info().currsize and settings().redis_url:
        _made().storage.reset()
    _made.cache_clear()


def _pair() -> tuple[RateLimitItem, ...]:
    # Windows of growing length are what makes the delay grow.
    few = settings().sign_in_attempts
    return RateLimitItemPerMinute(few), RateLimitItemPerMinute(few * 3, 15), RateLimitItemPerHour(few * 8, 6)


def _address() -> tuple[RateLimitItem, ...]:
    # An office behind one address may have many people: wider, and only their failures count.
    return (RateLimitItemPerMinute(settings().sign_in_attempts * 12, 15),)


def _account() -> tuple[RateLimitItem, ...]:
    # Many strangers at one account: wide and short, or they could lock its owner out.
    return (RateLimitItemPerMinute(settings().sign_in_attempts * 10, 5),)


def count_attempt(email: str, address: str) -> None:
    """Count one attempt, or raise Denied with the seconds to wait. A success is taken back by `forgive`.

    From the narrow limit to the wide one: what a narrow one refuses never fills a wide one, so that nobody can
    use up alone, from one address, the attempts that all addresses have together.
    """
    network = _network(address)
    _take(_pair(), "pair", email, network)
    _refuse([item for item in _address() if not _limiter().test(item, "address", network)], "address", network)
    if _limiter().test(_KNOWN, "known", email, network):
        _take(_account(), "account", email)


def count_departure(address: str) -> None:
    """Count a sign-in that is sent to another company, or raise Denied: anybody may begin one."""
    _take(_address(), "departure", _network(address))


def count_failure(address: str) -> None:
    """Count an attempt that failed against the address it came from."""
    for item in _address():
        _limiter().hit(item, "address", _network(address))


def forgive(email: str, address: str) -> None:
    """A right password clears what was counted for this account from this address, which is known from now on."""
    network = _network(address)
    for item in _pair():
        _limiter().clear(item, "pair", email, network)
    for item in _account():
        _limiter().clear(item, "account", email)
    _limiter().hit(_KNOWN, "known", email, network)


def count_reset(email: str, address: str) -> None:
    """Count one wish for a new password, from the narrow limit to the wide one as in `count_attempt`."""
    network = _network(address)
    _take(_pair(), "reset", email, network)
    _take(_address(), "reset address", network)
    _take(_account(), "reset account", email)


def count_code(user_id: int) -> None:
    """Count one try of a second factor, from wherever it comes: only who knows the password gets as far."""
    _take(_CODES, "code", str(user_id))


def forgive_codes(user_id: int) -> None:
    """A right code clears what was counted."""
    for item in _CODES:
        _limiter().clear(item, "code", str(user_id))


def is_worth_noting(session_hash: str, address: str) -> bool:
    """Whether one more refusal of this session belongs into the audit: the first of ten minutes from each network,

    and a few in all: who has many addresses must not fill the audit either.
    """
    first = _limiter().hit(RateLimitItemPerMinute(1, 10), "noted", session_hash, _network(address))
    return first and _limiter().hit(RateLimitItemPerHour(20), "noted", session_hash)


def is_new_denial(session_hash: str, what: str) -> bool:
    """Whether what this session may not do belongs into the audit: the first try of ten minutes, and not too many."""
    first = _limiter().hit(RateLimitItemPerMinute(1, 10), "denied", session_hash, what)
    return first and _limiter().hit(RateLimitItemPerHour(200), "denied", session_hash)


def _take(items: tuple[RateLimitItem, ...], *keys: str) -> None:
    full = [item for item in items if not _limiter().test(item, *keys)]
    # Between the look and the count others may have come: the count decides.
    _refuse(full or [item for item in items if not _limiter().hit(item, *keys)], *keys)


def _refuse(full: list[RateLimitItem], *keys: str) -> None:
    if full:
        ends = max(_limiter().get_window_stats(item, *keys).reset_time for item in full)
        raise Denied(f"Too many attempts. Please wait {max(1, round(ends - time.time()))} seconds and try again.")


def _network(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or 64 bits of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found), 64), strict=False))
