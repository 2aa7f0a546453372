"""Making and ending tokens."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from portal_app import clock, db
from portal_app.auth import tokens
from portal_app.auth.actor import NOBODY, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied, Invalid, NotFound
from portal_app.models import ApiToken, AuditEvent
from tests.backups.conftest import Cast, without

RUN = frozenset({Permission.BACKUPS_RUN})


def create(cast: Cast, actor: Any = None, **given: Any) -> str:
    values = {"partner_id": cast.partner_id, "name": "Engine", "permissions": RUN} | given
    return db.write(tokens.create_token, actor or cast.alice, **values)


def rows(model: type) -> list[Any]:
    return db.read(lambda session: list(session.exec(select(model)).all()))


def test_only_who_manages_the_api_makes_and_ends_tokens(cast: Cast) -> None:
    for actor in (NOBODY, cast.customer, without(cast.alice, Permission.API_MANAGE)):
        with pytest.raises(Denied):
            create(cast, actor)
        with pytest.raises(Denied):
            db.write(tokens.revoke, actor, 1)
    assert rows(ApiToken) == []


def test_a_strangers_token_is_like_an_unknown_one(cast: Cast) -> None:
    create(cast)
    with pytest.raises(NotFound):
        create(cast, cast.charlie)
    told = []
    for token_id in (rows(ApiToken)[0].id, 999):
        with pytest.raises(NotFound) as found:
            db.write(tokens.revoke, cast.charlie, token_id)
        told.append(found.value.sentence)
    assert told[0] == told[1]
    assert rows(ApiToken)[0].revoked_at is None


def test_nobody_gives_a_token_more_than_they_have(cast: Cast) -> None:
    with pytest.raises(Denied):
        create(cast, without(cast.alice, Permission.BACKUPS_RUN))
    # A token sees all accounts: who sees only some can't make one.
    with pytest.raises(Denied):
        create(cast, cast.bob)
    assert rows(ApiToken) == []


def test_the_token_opens_and_only_its_hash_is_kept(cast: Cast) -> None:
    token = create(cast)
    actor = db.read(tokens.find_token, token)
    assert (actor.kind, actor.partner_id, actor.all_accounts) == (ActorKind.TOKEN, cast.partner_id, True)
    assert actor.permissions == RUN
    assert token not in str(rows(ApiToken)) + str(rows(AuditEvent))
    assert create(cast) != token


def test_making_and_ending_are_audited_once(cast: Cast) -> None:
    create(cast)
    token_id = rows(ApiToken)[0].id
    db.write(tokens.revoke, cast.alice, token_id)
    db.write(tokens.revoke, cast.alice, token_id)
    told = [(event.activity, event.description, event.performed_by) for event in rows(AuditEvent)]
    by = cast.alice.email
    assert told == [("API", "Token “Engine” created", by), ("API", "Token “Engine” revoked", by)]


def test_a_permission_we_no_longer_know_opens_nothing(cast: Cast) -> None:
    token = create(cast)
    db.write(lambda session: session.add(_with(session.exec(select(ApiToken)).one(), ["old:thing", "backups:run"])))
    assert db.read(tokens.find_token, token).permissions == RUN


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"permissions": frozenset()}, "permissions"),
        ({"ends_at": clock.now() - timedelta(seconds=1)}, "ends_at"),
    ],
)
def test_what_cant_be_taken_is_said_beside_its_field(cast: Cast, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as found:
        create(cast, **given)
    assert list(found.value.fields) == [field]
    assert rows(ApiToken) == rows(AuditEvent) == []


def _with(token: ApiToken, permissions: list[str]) -> ApiToken:
    token.permissions = permissions
    return token
