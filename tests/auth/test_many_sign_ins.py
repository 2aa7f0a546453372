"""Many sign-ins at once stall nobody."""

import asyncio
import time
from pathlib import Path

from portal_app import db
from portal_app.auth import limiter, turns
from portal_app.sign_in.state import SignInState
from tests import factories
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Pipeline, Tab, name_of, play

MANY = 20
LONGEST_SECONDS = 0.2
# What else a test machine does comes and goes; a hash on the loop would take 0.6 each time.
ATTEMPTS = 3
_SCHEDULED = Path("/proc/thread-self/schedstat")


def test_twenty_sign_ins_at_once_stall_no_other_event(cast: Cast) -> None:
    assert any(_longest_wait(cast) < LONGEST_SECONDS for _ in range(ATTEMPTS))


def _longest_wait(cast: Cast) -> float:
    """Of somebody's events while others sign in, in seconds."""
    with db.writing() as session:
        emails = [factories.user(session, cast.partner_a).email for _ in range(MANY)]
    waits: list[float] = []

    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice))
        await tab.hydrate()
        signing = [made.tab() for _ in emails]
        for one in signing:
            await one.hydrate()
        done = asyncio.gather(*(_sign_in(one, email) for one, email in zip(signing, emails, strict=True)))
        while not done.done():
            start = time.perf_counter() - _kept_off()
            await tab.send(name_of("notice_state.dismiss"))
            waits.append(time.perf_counter() - _kept_off() - start)
        await done
        tickets = [(await one.state(SignInState)).ticket for one in signing]
        assert len(set(tickets)) == MANY
        assert all(tickets)

    limiter.reset_limits()
    play(scene)
    assert len(waits) > 5
    return max(waits)


def _kept_off() -> float:
    """Seconds for which this thread was ready while the machine ran others; none where the system doesn't tell."""
    return int(_SCHEDULED.read_text().split()[1]) / 1e9 if _SCHEDULED.exists() else 0.0


async def _sign_in(tab: Tab, email: str) -> None:
    await tab.send(name_of("sign_in_state.submit"), {"form": {"email": email, "password": factories.PASSWORD}})


def test_only_some_hash_at_a_time() -> None:
    now, most = 0, 0

    def hashing() -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        time.sleep(0.005)
        now -= 1

    async def run() -> None:
        await asyncio.gather(*(turns.in_turn(hashing) for _ in range(MANY)))

    asyncio.run(run())
    assert 1 <= most <= turns.AT_ONCE
