"""What holds in a tab at process A when it is changed at process B."""

import json
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.models import User
from portal_app.operator import partners
from portal_app.tickets import service
from tests import factories
from tests.cast import Cast, cookie_of
from tests.ip_restrictions.places import restrict
from tests.security.pipeline import ROOT, name_of
from tests.security.served import Raw
from tests.wide.conftest import Wide, boot

LOAD, TICK = name_of("dashboard_state.load"), name_of("dashboard_state.tick")
SUBMIT = name_of("sign_in_state.submit")
TICKET = name_of("own_ticket_state.load")


def _click(tab: Raw) -> str:
    return json.dumps(tab.ask(LOAD))


def test_signed_out_at_b_is_signed_out_at_a(wide: Wide, cast: Cast) -> None:
    cookie = cookie_of(cast.alice)
    with Raw(wide.a, cookie) as tab:
        assert "Alpha Elm" in _click(tab)
        address = f"http://127.0.0.1:{wide.b.port}"
        answer = httpx.post(f"{address}/auth/sign-out", headers={"Cookie": cookie, "Origin": address})
        assert answer.status_code == 303
        said = _click(tab)
    assert "/login" in said
    assert "Alpha Elm" not in said


def _take_right(session: Session, cast: Cast) -> None:
    rights = [str(Permission.ACCOUNTS_ACCESS)]
    session.execute(update(User).where(col(User.id) == cast.bob.id).values(permissions=rights))


def _suspend(session: Session, cast: Cast) -> None:
    partners.suspend(session, cast.actor("olga"), cast.partner_a.code, "They asked for it.")


def _restrict(session: Session, cast: Cast) -> None:
    restrict(session, cast.partner_a, "203.0.113.0/24")


CHANGES = {"a right is gone": (_take_right, "denied"), "the partner is suspended": (_suspend, "/login")}
CHANGES |= {"an address is trusted no more": (_restrict, "/access-denied")}


@pytest.mark.parametrize("change", CHANGES)
def test_the_next_click_knows(wide: Wide, cast: Cast, change: str) -> None:
    do, told = CHANGES[change]
    with Raw(wide.a, cookie_of(cast.bob)) as tab:
        assert "Alpha Ash" in _click(tab)
        db.write(do, cast)
        said = _click(tab)
    assert told in said
    assert "Alpha Ash" not in said


def test_attempts_at_both_are_counted_together(wide: Wide, cast: Cast) -> None:
    form = {"form": {"email": f"{uuid4().hex}@people.example", "password": "wrong"}}
    with Raw(wide.a) as here, Raw(wide.b) as there:
        said = [json.dumps(tab.ask(SUBMIT, form, "/login")) for tab in [here, there] * 3]
    assert ["Too many attempts" in one for one in said] == [False] * 5 + [True]


def test_a_change_at_b_reaches_who_watches_at_a(wide: Wide, cast: Cast) -> None:
    account = cast.accounts_a[0]
    path = f"/accounts/{account.id}/settings"
    form = {"name": "Alpha Renamed", "email": account.email, "place": str(account.data_center_id)}
    with (
        Raw(wide.a, cookie_of(cast.bob), auth=boot()) as watcher,
        Raw(wide.b, cookie_of(cast.alice), auth=boot(path)) as writer,
    ):
        watcher.until(lambda: "Alpha Ash" in watcher.heard())
        writer.until(lambda: '"ready_rx_state_": true' in writer.heard())
        writer.send(name_of("account_settings_state.save"), {"form": form}, path)
        writer.until(lambda: "Saved." in writer.heard())
        watcher.until(lambda: "Alpha Renamed" in watcher.heard())


def test_an_answer_given_at_b_comes_to_the_ticket_at_a(wide: Wide, cast: Cast) -> None:
    tess = db.write(lambda session: factories.user(session, cast.partner_a, name="Tess"))
    asked = {"topic": "backups", "subject": "It stopped", "text": "Since Monday."}
    ticket = db.write(lambda session: service.open_ticket(session, factories.actor(tess), **asked))
    path, back = f"/support/tickets/{ticket.id}", f"/operator/tickets/{ticket.id}"
    with (
        Raw(wide.a, cookie_of(tess), auth=boot(path)) as asking,
        Raw(wide.b, cookie_of(cast.olga), auth=boot(back)) as answering,
    ):
        for tab in (asking, answering):
            tab.until(lambda tab=tab: "Since Monday." in tab.heard() and '"ready_rx_state_": true' in tab.heard())
        form = {"text": "It runs again.", "kind": "answer", "turn": "0"}
        answering.send(name_of("operator_ticket_state.send"), {"form": form}, back)
        asking.until(lambda: "It runs again." in asking.heard())


def test_a_second_tab_at_b_gets_a_state_of_its_own(wide: Wide, cast: Cast) -> None:
    cookie, number = cookie_of(cast.alice), cast.accounts_a[0].id
    with Raw(wide.a, cookie) as first:
        first.ask(LOAD)
        with Raw(wide.b, cookie, token=first.token) as second:
            assert [name for name, _ in second.seen if name == "new_token"]
            second.ask(LOAD)
            second.ask(TICK, {"account_id": number, "ticked": True})
        assert f'"ticked_rx_state_": [{number}]' in second.heard()
        assert f'"ticked_rx_state_": [{number}]' not in first.heard()
        first.ask(TICK, {"account_id": cast.accounts_a[1].id, "ticked": True})
    assert f'"ticked_rx_state_": [{cast.accounts_a[1].id}]' in first.heard()


def test_a_tab_that_moves_to_b_keeps_its_state(wide: Wide, cast: Cast) -> None:
    cookie, (one, other) = cookie_of(cast.alice), (row.id for row in cast.accounts_a[:2])
    with Raw(wide.a, cookie) as tab:
        tab.ask(LOAD)
        tab.ask(TICK, {"account_id": one, "ticked": True})
    with Raw(wide.b, cookie, token=tab.token) as moved:
        moved.ask(TICK, {"account_id": other, "ticked": True})
    assert f'"ticked_rx_state_": [{one}, {other}]' in moved.heard()


@pytest.mark.parametrize("who", ["", "bob", "mallory", "olga"])
def test_who_presents_a_tab_of_another_at_b_gets_nothing_of_it(wide: Wide, cast: Cast, who: str) -> None:
    with Raw(wide.a, cookie_of(cast.alice)) as owner:
        assert "Alpha Elm" in _click(owner)
    cookie = cookie_of(cast.people[who]) if who else ""
    with Raw(wide.b, cookie, token=owner.token, auth=boot("/login")) as thief:
        thief.settle()
        thief.ask(f"{ROOT}.hydrate")
    assert "Alpha Elm" not in thief.heard()
    assert "alice@" not in thief.heard()
