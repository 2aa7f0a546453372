"""Links in mails open nothing at an address that the person's partner does not trust, and are not spent there."""

from datetime import timedelta

import pytest

from portal_app import db
from portal_app.auth import one_time, passwords
from portal_app.errors import Conflict, Denied
from portal_app.models import LinkKind, User
from portal_app.security import resets
from tests.cast import Cast
from tests.ip_restrictions.places import HOME, OFFICE
from tests.security.pipeline import Pipeline, name_of, play

NEW = "a quite new passphrase of nine words"


def link(cast: Cast, who: str) -> str:
    return db.write(one_time.create, cast.people[who].id, LinkKind.RESET, timedelta(hours=1))


def has_new(cast: Cast, who: str) -> bool:
    user = db.read(lambda session: session.get(User, cast.people[who].id))
    return passwords.verify(user.password_hash, NEW)


def test_a_reset_link_works_only_where_its_owner_is_let_in(restricted: Cast) -> None:
    token = link(restricted, "bob")
    for act in (
        lambda: db.read(resets.is_good, token, HOME),
        lambda: resets.finish(token, NEW, NEW, HOME),
        lambda: db.write(resets._finish, token, passwords.hash_password(NEW), HOME),
    ):
        with pytest.raises(Denied, match=HOME.address):
            act()
    assert not has_new(restricted, "bob")
    assert db.read(resets.is_good, token, OFFICE)
    resets.finish(token, NEW, NEW, OFFICE)
    assert has_new(restricted, "bob")
    with pytest.raises(Conflict):
        resets.finish(token, NEW, NEW, OFFICE)


@pytest.mark.parametrize("who", ["dave", "mallory", "olga"])
def test_others_links_work_anywhere(restricted: Cast, who: str) -> None:
    resets.finish(link(restricted, who), NEW, NEW, HOME)
    assert has_new(restricted, who)


def test_an_unknown_link_tells_nothing_of_addresses(restricted: Cast) -> None:
    assert db.read(resets.is_good, "x" * 43, HOME) is False


def test_the_page_leads_to_access_denied(restricted: Cast) -> None:
    token = link(restricted, "bob")

    async def scene(made: Pipeline) -> None:
        tab = made.tab(path=f"/reset?token={token}")
        where = tab._router_data
        tab._router_data = lambda: where() | {"ip": HOME.address}
        answer = await tab.send(name_of("reset_state.load"))
        assert answer.redirects[-1] == "/reset"
        tab.path = "/reset"
        answer = await tab.send(name_of("reset_state.load"))
        assert answer.redirects[-1] == "/access-denied"
        answer = await tab.send(name_of("reset_state.submit"), {"form": {"password": NEW, "again": NEW}})
        assert answer.redirects[-1] == "/access-denied"

    play(scene)
    assert not has_new(restricted, "bob")
