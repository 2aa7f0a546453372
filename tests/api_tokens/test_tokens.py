"""The page's list of tokens, and that a token never does more than who made it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.api_tokens import repository
from portal_app.api_tokens.rows import TokenState
from portal_app.auth import tokens
from portal_app.auth.actor import NOBODY, Actor, ActorKind, system
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied, Invalid
from portal_app.models import ApiToken, Role, User, UserState
from tests import factories
from tests.cast import Cast

RUN = frozenset({Permission.BACKUPS_RUN})
WIDE = frozenset({Permission.BACKUPS_RUN, Permission.BILLING_VIEW})


def create(of: Actor, partner_id: int, permissions: frozenset[Permission] = RUN, **given: Any) -> str:
    return db.write(tokens.create_token, of, partner_id, given.pop("name", "Engine"), permissions, **given)


def found(token: str) -> Actor:
    return db.read(tokens.find_token, token)


def change(user: User, **values: Any) -> None:
    db.write(lambda session: session.execute(update(User).where(col(User.id) == user.id).values(**values)))


def states(cast: Cast) -> list[TokenState]:
    return [row.state for row in db.read(repository.tokens, cast.actor("alice"))]


@pytest.mark.parametrize("who", ["nobody", "bob", "carol", "dave", "olga", "without"])
def test_only_who_manages_api_access_sees_the_list(cast: Cast, who: str) -> None:
    less = factories.actor(cast.alice, permissions=frozenset(Permission) - {Permission.API_MANAGE})
    with pytest.raises(Denied):
        db.read(repository.tokens, {"nobody": NOBODY, "without": less}.get(who) or cast.actor(who))


def test_the_list_is_the_partners_own_and_shows_no_secret(cast: Cast) -> None:
    token = create(cast.actor("alice"), cast.partner_a.id, WIDE, name="Ours", ends_at=clock.now() + timedelta(days=9))
    create(cast.actor("mallory"), cast.partner_b.id, name="Theirs")
    (row,) = db.read(repository.tokens, cast.actor("alice"))
    assert (row.name, row.created_by, row.state) == ("Ours", cast.alice.email, TokenState.ACTIVE)
    assert set(row.permissions) == WIDE
    assert row.used_at is None
    assert token not in repr(row)
    assert tokens.digest(token) not in repr(row)


def test_each_state_is_told_and_what_ended_comes_last(cast: Cast) -> None:
    partner = cast.partner_a.id
    create(system(), partner, name="command")
    carl = db.write(factories.user, cast.partner_a)
    create(factories.actor(carl), partner, name="stopped")
    create(cast.actor("alice"), partner, name="revoked")
    create(cast.actor("alice"), partner, name="expired", ends_at=clock.now() + timedelta(days=1))
    create(cast.actor("alice"), partner, name="active")
    change(carl, state=UserState.DISABLED)
    by_name = {row.name: row for row in db.read(repository.tokens, cast.actor("alice"))}
    db.write(tokens.revoke, cast.actor("alice"), by_name["revoked"].id)
    past = update(ApiToken).where(col(ApiToken.name) == "expired").values(ends_at=clock.now() - timedelta(seconds=1))
    db.write(lambda session: session.execute(past))
    listed = db.read(repository.tokens, cast.actor("alice"))
    assert [row.name for row in listed] == ["active", "stopped", "command", "expired", "revoked"]
    assert all(row.state == row.name for row in listed if row.name != "command")
    assert (listed[2].created_by, listed[2].state) == ("Command line", TokenState.ACTIVE)


def test_a_token_loses_what_its_maker_loses(cast: Cast) -> None:
    token = create(cast.actor("alice"), cast.partner_a.id, WIDE)
    assert found(token).permissions == WIDE
    kept = [Permission.DASHBOARD_VIEW.value, Permission.BACKUPS_RUN.value]
    change(cast.alice, role=Role.CUSTOM, permissions=kept)
    assert found(token).permissions == RUN
    change(cast.alice, permissions=[Permission.BACKUPS_RUN.value])
    assert found(token).permissions == frozenset()
    change(cast.alice, role=Role.ADMINISTRATOR, permissions=[])
    assert found(token).permissions == WIDE


@pytest.mark.parametrize("values", [{"state": UserState.DISABLED}, {"all_accounts": False}])
def test_a_token_stops_when_its_maker_is_disabled_or_sees_less(cast: Cast, values: dict[str, Any]) -> None:
    token = create(cast.actor("alice"), cast.partner_a.id)
    change(cast.alice, **values)
    assert found(token) is NOBODY
    assert states(cast) == [TokenState.STOPPED]
    change(cast.alice, state=UserState.ACTIVE, all_accounts=True)
    assert found(token).kind == ActorKind.TOKEN


def test_a_token_goes_with_its_maker_and_a_commands_stays(cast: Cast) -> None:
    carl = db.write(factories.user, cast.partner_a)
    theirs, commands = create(factories.actor(carl), cast.partner_a.id), create(system(), cast.partner_a.id)
    db.write(lambda session: session.execute(delete(User).where(col(User.id) == carl.id)))
    assert found(theirs) is NOBODY
    assert found(commands).permissions == RUN
    assert len(db.read(lambda session: list(session.exec(select(ApiToken))))) == 1


def test_there_is_an_end_to_the_living_ones(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    alice = cast.actor("alice")
    for _ in range(2):
        create(alice, cast.partner_a.id)
    with pytest.raises(Invalid, match="Revoke"):
        create(alice, cast.partner_a.id)
    db.write(tokens.revoke, alice, db.read(repository.tokens, alice)[0].id)
    create(alice, cast.partner_a.id)


def test_it_holds_on_each_database(store: dict[str, str]) -> None:
    def made(session: Session) -> tuple[Actor, int]:
        partner = factories.partner(session)
        return factories.actor(factories.user(session, partner)), partner.id

    alice, partner_id = db.write(made)
    token = create(alice, partner_id, WIDE)
    assert found(token).permissions == WIDE
    db.write(tokens.note_use, found(token))
    (row,) = db.read(repository.tokens, alice)
    assert row.used_at is not None
