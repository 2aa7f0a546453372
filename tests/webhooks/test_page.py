"""The handlers of the page: a secret goes to the page once, and stays nowhere."""

from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.api_tokens.webhooks_state import WebhooksState
from portal_app.auth.permissions import Permission
from portal_app.models import Webhook, WebhookDelivery
from portal_app.settings import reset_settings
from tests.cast import Cast, cast, cookie_of
from tests.security.pipeline import Answer, Pipeline, name_of, play
from tests.webhooks.conftest import hooks

__all__ = ["cast"]
SAVE, ROTATE, REMOVE = "webhooks_state.save", "webhooks_state.rotate", "webhooks_state.remove"
FORM = {"url": "http://127.0.0.1:9/hook", "backup.failed": "1", "no.such": "1"}


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ALLOW_PRIVATE_WEBHOOKS", "1")
    reset_settings()


def written(answer: Answer) -> list[str]:
    return [str(event.payload["value"]) for event in answer.events if event.name == "_set_value"]


def test_a_secret_is_written_into_the_page_once_and_kept_nowhere(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice), "/settings/api")
        await tab.hydrate()
        answer = await tab.send(name_of(SAVE), {"form": FORM})
        again = await tab.send(name_of(ROTATE), {"webhook_id": 1})
        for one in (answer, again):
            (secret,) = written(one)
            assert secret.startswith("whsec_")
            kept = str(await tab.values()) + str(vars(await tab.state(WebhooksState))) + str(one.deltas)
            assert secret not in kept + str((await tab.hydrate()).deltas)
        assert hooks()[0].events == ["backup.failed"]

    play(scene)


def test_who_may_not_is_refused(cast: Cast) -> None:
    async def scene(made: Pipeline, who: str) -> Any:
        tab = made.tab(cookie_of(cast.people[who]), "/settings/api")
        await tab.hydrate()
        return (await tab.send(name_of(SAVE), {"form": FORM})).var("denied")

    for who in ("bob", "carol", "dave", "olga"):
        assert play(lambda made, who=who: scene(made, who)) == Permission.API_MANAGE.refusal
    assert hooks() == []


def test_what_cant_be_taken_is_said_and_strangers_change_nothing(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = made.tab(cookie_of(cast.alice), "/settings/api")
        await tab.hydrate()
        for form, field in (({}, "url"), ({"url": FORM["url"]}, "events"), (FORM | {"url": "x" * 900}, "url")):
            assert list((await tab.send(name_of(SAVE), {"form": form})).var("errors")) == [field]
        await tab.send(name_of(SAVE), {"form": FORM})
        stranger = made.tab(cookie_of(cast.mallory), "/settings/api")
        await stranger.hydrate()
        for name in (ROTATE, REMOVE, "webhooks_state.send_test", "webhooks_state.open_log"):
            told = await stranger.send(name_of(name), {"webhook_id": 1})
            assert "There is no such webhook." in str(told.errors) + str(told.deltas), name
        assert db.read(lambda session: list(session.exec(select(WebhookDelivery)))) == []
        await tab.send(name_of("webhooks_state.send_test"), {"webhook_id": 1})
        assert len(db.read(lambda session: list(session.exec(select(WebhookDelivery))))) == 1
        await tab.send(name_of(REMOVE), {"webhook_id": 1})
        assert db.read(lambda session: list(session.exec(select(Webhook)))) == []

    play(scene)
