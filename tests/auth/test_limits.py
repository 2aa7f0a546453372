"""Guessing is slowed down; nobody is locked out for good by a stranger."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from portal_app.auth import limiter
from portal_app.errors import Denied
from portal_app.settings import settings

OWNER, HOME, OFFICE = "alice@people.example", "192.0.2.7", "192.0.2.99"
MINUTE, FEW = timedelta(minutes=1), 5
START = "2031-03-04T05:06:07+00:00"


@pytest.fixture
def at() -> Iterator[time_machine.Traveller]:
    assert settings().sign_in_attempts == FEW
    with time_machine.travel(START, tick=False) as moved:
        yield moved


def _tries(email: str, address: str, times: int = 1) -> int:
    """How many of the attempts were let through."""
    return sum(_may(email, address) for _ in range(times))


def _may(email: str, address: str) -> bool:
    try:
        limiter.count_attempt(email, address)
    except Denied:
        return False
    return True


def _wait(email: str, address: str) -> int:
    with pytest.raises(Denied) as refusal:
        limiter.count_attempt(email, address)
    found = re.fullmatch(r"Too many attempts. Please wait (\d+) seconds and try again\.", refusal.value.sentence)
    assert found
    return int(found[1])


def test_a_few_attempts_a_minute_for_an_account_from_one_address(at: time_machine.Traveller) -> None:
    assert _tries(OWNER, HOME, 50) == FEW
    assert _tries("bob@people.example", HOME) == 1
    assert _tries(OWNER, OFFICE) == 1
    at.shift(MINUTE * 1.1)
    assert _tries(OWNER, HOME, 50) == FEW


def test_after_the_wait_that_is_named_the_next_attempt_passes(at: time_machine.Traveller) -> None:
    for _ in range(12):
        while _may(OWNER, HOME):
            at.shift(1)
        at.shift(_wait(OWNER, HOME) + 1)
        assert _may(OWNER, HOME)


def test_the_wait_grows(at: time_machine.Traveller) -> None:
    waits = []
    for _ in range(FEW * 8 + 1):
        while not _may(OWNER, HOME):
            waits.append(_wait(OWNER, HOME))
            at.shift(waits[-1] + 1)
    assert waits[0] <= 60
    assert max(waits) > 10 * 60
    assert max(waits) <= 6 * 3600


def test_many_accounts_from_one_address_are_limited_together(at: time_machine.Traveller) -> None:
    def fails(i: int) -> bool:
        passed = _may(f"person{i}@people.example", HOME)
        limiter.count_failure(HOME)
        return passed

    assert sum(fails(i) for i in range(200)) == FEW * 12
    assert _tries("person0@people.example", OFFICE) == 1


def test_right_passwords_do_not_count_against_an_office(at: time_machine.Traveller) -> None:
    for i in range(FEW * 20):
        assert _may(f"person{i}@people.example", OFFICE)
        limiter.forgive(f"person{i}@people.example", OFFICE)


def test_one_account_from_many_addresses_is_limited_together(at: time_machine.Traveller) -> None:
    assert sum(_tries(OWNER, f"198.51.100.{i}") for i in range(200)) == FEW * 10


def test_the_addresses_of_one_ipv6_subscriber_are_one(at: time_machine.Traveller) -> None:
    assert sum(_tries(OWNER, f"2001:db8:1:1::{i:x}") for i in range(50)) == FEW
    assert _tries(OWNER, "2001:db8:1:2::1") == 1
    assert sum(_tries("bob@people.example", a) for a in ("192.0.2.1", "::ffff:192.0.2.1") for _ in range(9)) == FEW


def test_the_right_password_clears_what_was_counted(at: time_machine.Traveller) -> None:
    assert _tries(OWNER, HOME, FEW) == FEW
    limiter.forgive(OWNER, HOME)
    assert _tries(OWNER, HOME, 50) == FEW


def test_a_stranger_at_one_address_does_not_lock_the_owner_out_anywhere(at: time_machine.Traveller) -> None:
    """Attempts that are refused already must not fill what all addresses share."""
    for place in range(60):
        _tries(OWNER, "203.0.113.66", 20)
        assert _may(OWNER, f"192.0.2.{place}")
        at.shift(20)


def test_strangers_at_many_addresses_do_not_lock_the_owner_out_where_the_owner_is_known(
    at: time_machine.Traveller,
) -> None:
    limiter.forgive(OWNER, HOME)
    for hour in range(24):
        for i in range(200):
            _may(OWNER, f"203.0.{hour}.{i}")
        assert _may(OWNER, HOME)
        at.shift(timedelta(hours=1))


def test_elsewhere_the_owner_waits_minutes_at_most(at: time_machine.Traveller) -> None:
    for i in range(200):
        _may(OWNER, f"203.0.113.{i}")
    assert _wait(OWNER, OFFICE) <= 5 * 60
    at.shift(timedelta(minutes=5, seconds=1))
    assert _may(OWNER, OFFICE)


def test_attempts_at_the_same_moment_are_all_counted() -> None:
    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(lambda _: _may(OWNER, HOME), range(60))) == FEW
