"""What an open socket may still do after its session, its rights or its holder changed."""

import json
import time
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from portal_app.models import Account, Role, User, UserState
from tests.cast import cookie_of
from tests.security.pipeline import HYDRATE, ROOT, name_of
from tests.security.served import SECONDS, Raw, Served

LOAD = name_of("dashboard_state.load")
WHO = {"nobody": None, "a colleague": "bob", "another partner": "mallory", "a customer": "dave", "an operator": "olga"}


@pytest.fixture
def cookies(served: Served) -> dict[str, str]:
    with served.here():
        return {name: cookie_of(user) for name, user in served.cast.people.items() if name not in ("irene",)}


def _left_behind(served: Served, cookie: str) -> str:
    """The token of a tab that showed the dashboard and lost its connection."""
    with Raw(served, cookie) as owner:
        assert "Alpha Elm" in json.dumps(owner.ask(LOAD))
    return owner.token


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("event", [HYDRATE, f"{ROOT}.hydrate_and_load", LOAD, name_of("dashboard_state.tick_page")])
def test_a_stolen_tab_token_gives_nothing_of_the_owner(
    served: Served, cookies: dict[str, str], who: str, event: str
) -> None:
    token = _left_behind(served, cookies["alice"])
    with Raw(served, cookies[WHO[who]] if WHO[who] else "", token=token) as thief:
        thief.ask(event, {"ticked": True} if event.endswith("tick_page") else {})
        thief.ask(HYDRATE)
    assert "Alpha Elm" not in thief.heard()
    assert "alice@" not in thief.heard()


def test_a_stolen_tab_token_gives_nothing_with_the_connection_itself(served: Served, cookies: dict[str, str]) -> None:
    token = _left_behind(served, cookies["alice"])
    boot = {"name": f"{ROOT}.hydrate_and_load", "payload": {}, "router_data": {"pathname": "/", "asPath": "/"}}
    with Raw(served, cookies["mallory"], token=token, auth={"event": boot}) as thief:
        thief.settle()
    assert "Alpha Elm" not in thief.heard()


@pytest.mark.parametrize("auth", [None, {"event": {"name": "junk"}}, {"event": 7}, "junk", [1]])
def test_a_silent_thief_of_a_tab_token_hears_no_live_update(
    served: Served, cookies: dict[str, str], auth: object
) -> None:
    """The owner's page watched for changes: what it hears must not go to who came after it."""
    token, name = _left_behind(served, cookies["alice"]), f"Alpha {uuid4().hex}"
    with Raw(served, token=token, auth=auth) as thief, Raw(served, cookies["alice"]) as witness:
        witness.ask(LOAD)
        served.write(_rename, served.cast.accounts_a[2].id, name)
        witness.until(lambda: name in witness.heard())
        if not thief.refused:
            thief.settle()
    assert name not in thief.heard()
    assert "Alpha" not in thief.heard()
    served.write(_rename, served.cast.accounts_a[2].id, "Alpha Elm")


def test_the_owner_goes_on_after_a_lost_connection(served: Served, cookies: dict[str, str]) -> None:
    token, end = _left_behind(served, cookies["alice"]), time.monotonic() + SECONDS
    found, heard = "", "new_token"
    # The server hears of the loss a moment later; until then the tab counts as open, and another gets a new state.
    while "new_token" in heard and time.monotonic() < end:
        with Raw(served, cookies["alice"], token=token) as again:
            found, heard = json.dumps(again.ask(HYDRATE)), again.heard()
    assert "new_token" not in heard
    assert "Alpha Elm" in found


def test_after_signing_out_elsewhere_the_next_event_is_refused(served: Served, cookies: dict[str, str]) -> None:
    with Raw(served, cookies["alice"]) as alice:
        assert "Alpha Elm" in json.dumps(alice.ask(LOAD))
        headers = {"Cookie": cookies["alice"], "Sec-Fetch-Site": "same-origin"}
        assert httpx.post(f"{served.address}/auth/sign-out", headers=headers).status_code == 303
        answers = json.dumps(alice.ask(name_of("dashboard_state.tick_page"), {"ticked": True}))
        assert "/login" in answers
        assert "Alpha" not in json.dumps(alice.ask(HYDRATE))


def test_a_narrowed_permission_counts_at_the_next_event(served: Served, cookies: dict[str, str]) -> None:
    delete = name_of("dashboard_state.type_name")
    with Raw(served, cookies["alice"]) as alice:
        alice.ask(LOAD)
        assert "may not" not in json.dumps(alice.ask(delete, {"text": "a"}))
        served.write(_set, served.cast.alice.id, {"role": Role.CUSTOM, "permissions": ["dashboard:view"]})
        assert "You may not delete trial accounts." in json.dumps(alice.ask(delete, {"text": "b"}))
        served.write(_set, served.cast.alice.id, {"permissions": []})
        assert "You may not view the dashboard." in json.dumps(alice.ask(LOAD))
        served.write(_set, served.cast.alice.id, {"state": UserState.DISABLED})
        assert "/login" in json.dumps(alice.ask(LOAD))
    served.write(_set, served.cast.alice.id, {"role": Role.ADMINISTRATOR, "state": UserState.ACTIVE})


def _rename(session: Session, account_id: int, name: str) -> None:
    session.execute(update(Account).where(col(Account.id) == account_id).values(name=name, name_key=name.lower()))


def _set(session: Session, user_id: int, values: dict[str, object]) -> None:
    session.execute(update(User).where(col(User.id) == user_id).values(**values))
