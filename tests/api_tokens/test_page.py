"""The page's handlers: a new token goes to the page once, and stays nowhere."""

from typing import Any

from sqlmodel import select

from portal_app import db
from portal_app.api_tokens.state import FIELD, ApiTokensState
from portal_app.auth import tokens
from portal_app.auth.permissions import Permission
from portal_app.models import ApiToken
from tests.cast import Cast, cookie_of
from tests.security.pipeline import Answer, Pipeline, name_of, play

CREATE, REVOKE = "api_tokens_state.create", "api_tokens_state.revoke"
FORM = {"name": "Backup server", "life": "90", "backups:run": "1"}


def saved() -> list[ApiToken]:
    return db.read(lambda session: list(session.exec(select(ApiToken))))


def written(answer: Answer) -> list[str]:
    """What the page was told to write into the token's field."""
    return [str(event.payload["value"]) for event in answer.events if event.name == "_set_value"]


def ask(cast: Cast, who: str, form: dict[str, Any]) -> Answer:
    async def scene(made: Pipeline) -> Answer:
        tab = made.tab(cookie_of(cast.people[who]), "/settings/api")
        await tab.hydrate()
        return await tab.send(name_of(CREATE), {"form": form})

    return play(scene)


def test_a_new_token_is_written_into_the_page_once_and_kept_nowhere(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice), "/settings/api")
        await tab.hydrate()
        answer = await tab.send(name_of(CREATE), {"form": FORM})
        (token,) = written(answer)
        assert answer.events[-1].payload["ref"] == f"ref_{FIELD.replace('-', '_')}"
        assert db.read(tokens.find_token, token).permissions == {Permission.BACKUPS_RUN}
        kept = str(await tab.values()) + str(vars(await tab.state(ApiTokensState))) + str(answer.deltas)
        assert token not in kept + str((await tab.hydrate()).deltas)
        assert written(await tab.send(name_of("api_tokens_state.forget"))) == [""]

    play(scene)


def test_permissions_that_one_lacks_are_not_given_however_they_are_sent(cast: Cast) -> None:
    from_page = FORM | {"accounts:view": "1", "administrator": "1", "permissions": ["billing:view"]}
    assert written(ask(cast, "alice", from_page))
    assert saved()[0].permissions == ["backups:run"]


def test_without_a_permission_or_with_a_false_life_nothing_is_made(cast: Cast) -> None:
    for form, field in (
        ({"name": "x", "life": "90"}, "permissions"),
        (FORM | {"life": "9999"}, "life"),
        (FORM | {"life": None}, "life"),
        (FORM | {"name": ""}, "name"),
        ({}, "life"),
    ):
        answer = ask(cast, "alice", form)
        assert list(answer.var("errors")) == [field], form
        assert not written(answer)
    assert saved() == []


def test_who_may_not_is_refused(cast: Cast) -> None:
    for who in ("bob", "carol", "dave", "olga"):
        assert ask(cast, who, FORM).var("denied") == Permission.API_MANAGE.refusal
    assert saved() == []


def test_revoking_ends_the_token_and_strangers_cannot(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice), "/settings/api")
        await tab.hydrate()
        (token,) = written(await tab.send(name_of(CREATE), {"form": FORM}))
        number = {"token_id": saved()[0].id}
        stranger = made.tab(cookie_of(cast.mallory), "/settings/api")
        await stranger.hydrate()
        assert "There is no such token." in str((await stranger.send(name_of(REVOKE), number)).errors)
        assert db.read(tokens.find_token, token).permissions
        assert (await tab.send(name_of("api_tokens_state.open_revoke"), number)).var("revoking_name") == "Backup server"
        answer = await tab.send(name_of(REVOKE), number)
        assert answer.var("text") == "“Backup server” is revoked."
        assert not db.read(tokens.find_token, token).permissions

    play(scene)
