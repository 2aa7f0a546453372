"""The page's handlers: what they show, and that changes wait for a fresh proof of who asks."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from portal_app import clock, db
from portal_app.ip_restrictions import service
from portal_app.models import LoginSession, Partner
from tests.cast import Cast, cookie_of
from tests.factories import PASSWORD
from tests.ip_restrictions.places import HOME, OFFICE
from tests.security.pipeline import Pipeline, Tab, handlers, name_of, play

STATE = "ip_restrictions_state"


async def opened(made: Pipeline, cast: Cast) -> Tab:
    tab = made.tab(cookie_of(cast.alice), "/settings/ip-restrictions")
    await tab.hydrate()
    return tab


async def say(tab: Tab, handler: str, **payload: object):
    return await tab.send(name_of(f"{STATE}.{handler}"), payload)


def own(cast: Cast) -> list[str]:
    return [entry.addresses for entry in db.read(service.overview, cast.actor("alice")).entries]


@pytest.mark.parametrize(
    "name",
    [f"{STATE}.save", f"{STATE}.delete", f"{STATE}.switch", "api_tokens_state.create", "api_tokens_state.revoke"],
)
def test_what_opens_or_shuts_a_door_asks_who_it_is(name: str) -> None:
    assert handlers()[name_of(name)].__policy__.fresh


def test_a_change_waits_for_the_password_and_then_is_made(cast: Cast) -> None:
    long_ago = update(LoginSession).values(confirmed_at=clock.now() - timedelta(hours=1))

    async def scene(made: Pipeline) -> None:
        tab = await opened(made, cast)
        await say(tab, "open_add")
        db.write(lambda session: session.execute(long_ago))
        assert (await say(tab, "save", form={"addresses": OFFICE.address})).var("asked") is True
        assert own(cast) == []
        await tab.send(name_of("confirm_state.submit"), {"form": {"confirm_password": PASSWORD}})
        assert own(cast) == [OFFICE.address]

    play(scene)


def test_what_was_refused_stays_open_with_its_sentences(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await opened(made, cast)
        await say(tab, "open_add")
        assert list((await say(tab, "save", form={"addresses": "x", "first": ["no text"]})).var("errors")) == [
            "addresses"
        ]
        answer = await say(tab, "save", form={"addresses": OFFICE.address, "description": "Office"})
        assert (answer.var("dialog"), answer.var("is_on")) == ("", True)
        (line,) = answer.var("entries")
        await say(tab, "open_edit", entry_id=line["id"])
        assert OFFICE.address in (
            await say(tab, "save", form={"entry": str(line["id"]), "first": HOME.address, "last": HOME.address})
        ).var("error")
        await say(tab, "open_delete", entry_id=line["id"])
        assert OFFICE.address in (await say(tab, "delete", entry_id=line["id"])).var("error")
        assert own(cast) == [OFFICE.address]

    play(scene)


def test_an_entry_that_a_colleague_deleted_leaves_the_list(cast: Cast) -> None:
    async def scene(made: Pipeline) -> None:
        tab = await opened(made, cast)
        await say(tab, "open_add")
        (line,) = (await say(tab, "save", form={"addresses": HOME.address})).var("entries")
        await say(tab, "open_delete", entry_id=line["id"])
        db.write(service.delete, cast.actor("alice"), line["id"])
        answer = await say(tab, "delete", entry_id=line["id"])
        assert (answer.var("entries"), answer.var("dialog")) == ([], "")
        assert "There is no such entry" in answer.var("text")

    play(scene)


def test_another_partners_entry_cannot_be_opened_or_touched(cast: Cast) -> None:
    theirs = db.write(lambda s: service.add(s, cast.actor("mallory"), service.EntryForm("", HOME.address)))
    assert theirs
    number = db.read(service.overview, cast.actor("mallory")).entries[0].id

    async def scene(made: Pipeline) -> None:
        tab = await opened(made, cast)
        for opening, act in (("open_edit", "save"), ("open_delete", "delete")):
            answer = await say(tab, opening, entry_id=number)
            assert not answer.var("dialog")
            assert HOME.address not in str(answer.deltas)
            form = {"entry": str(number), "addresses": OFFICE.address}
            answer = await say(tab, act, **({"form": form} if act == "save" else {"entry_id": number}))
            assert "There is no such entry" in answer.var("text")
        assert [e.addresses for e in db.read(service.overview, cast.actor("mallory")).entries] == [HOME.address]

    play(scene)
    on = db.read(
        lambda session: session.query(Partner.ip_restricted).filter(col(Partner.id) == cast.partner_b.id).one()
    )
    assert on == (False,)
