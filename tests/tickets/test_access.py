"""Who has which tickets: owner, colleagues, strangers, customers, operators, programs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from portal_app import db
from portal_app.auth.actor import NOBODY, Actor, ActorKind, system
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied, NotFound, PortalError
from portal_app.models import AuditEvent, OutboxMail, Ticket, TicketMessage, TicketUpload, User
from portal_app.tickets import desk as provider
from portal_app.tickets import repository, service, uploads
from portal_app.tickets.query import QueueQuery, TicketQuery
from tests import factories
from tests.tickets.conftest import Desk

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
# Nobody of these has tickets at all.
WITHOUT = ("nobody", "bob", "carol", "nina", "dave", "token", "system", "elsewhere")


def who(desk: Desk, name: str) -> Actor:
    alice = desk.cast.actor("alice")
    others = {
        "nobody": NOBODY,
        "token": replace(alice, kind=ActorKind.TOKEN, user_id=None),
        "system": system(alice.partner_id),
        "elsewhere": replace(alice, kind=ActorKind.ELSEWHERE, permissions=frozenset()),
    }
    return others.get(name) or desk.actor(name)


def own_acts(actor: Actor, ticket: Ticket) -> list[Callable[[], Any]]:
    """All that a partner's person does to one ticket."""
    number, version = ticket.id, ticket.version
    return [
        lambda: db.read(service.show, actor, number),
        lambda: db.write(service.reply, actor, number, version, "Me too."),
        lambda: db.write(service.close, actor, number, version),
        lambda: db.write(uploads.put, actor, number, "a.png", PNG),
    ]


def provider_acts(actor: Actor, ticket: Ticket) -> list[Callable[[], Any]]:
    """All that an operator does."""
    number, version = ticket.id, ticket.version
    return [
        lambda: db.read(provider.queue, actor, QueueQuery()),
        lambda: db.read(provider.show, actor, number),
        lambda: db.write(provider.answer, actor, number, version, "Look again."),
        lambda: db.write(provider.note, actor, number, "Known."),
        lambda: db.write(provider.assign, actor, number, None, actor.user_id),
        lambda: db.write(provider.set_state, actor, number, version, "closed"),
    ]


def state_of(desk: Desk) -> Any:
    def all_of(session) -> Any:
        models = (Ticket, TicketMessage, TicketUpload, OutboxMail, AuditEvent)
        return [[row.model_dump() for row in session.exec(select(one).order_by(one.id))] for one in models]

    return db.read(all_of)


@pytest.mark.parametrize("name", WITHOUT)
def test_who_has_no_tickets_gets_nothing_and_does_nothing(desk: Desk, name: str) -> None:
    actor, before = who(desk, name), state_of(desk)
    new = {"topic": "other", "subject": "Hello", "text": "There"}
    others = [
        lambda: db.read(service.list_page, actor, TicketQuery()),
        lambda: db.write(service.open_ticket, actor, **new),
        lambda: db.read(service.start, actor, None),
        lambda: db.read(service.account_choice, actor, ""),
        lambda: db.write(uploads.put, actor, 0, "a.png", PNG),
    ]
    for act in [*own_acts(actor, desk.ticket), *others, *provider_acts(actor, desk.ticket)]:
        with pytest.raises(Denied):
            act()
    assert db.read(service.latest, actor, 5) == []
    assert state_of(desk) == before


@pytest.mark.parametrize("name", ["theo", "mallory"])
def test_others_tickets_do_not_exist(each_desk: Desk, name: str) -> None:
    actor, before = who(each_desk, name), state_of(each_desk)
    for act in own_acts(actor, each_desk.ticket):
        with pytest.raises(NotFound):
            act()
    assert db.read(service.list_page, actor, TicketQuery()).total == 0
    assert db.read(service.latest, actor, 5) == []
    for act in provider_acts(actor, each_desk.ticket):
        with pytest.raises(Denied):
            act()
    assert state_of(each_desk) == before


@pytest.mark.parametrize("name", ["tess", "alice"])
def test_the_opener_and_the_administrators_of_the_partner_have_it(each_desk: Desk, name: str) -> None:
    (row,) = db.read(service.list_page, who(each_desk, name), TicketQuery()).rows
    assert (row.id, row.subject, row.account_name, row.opened_by) == (
        each_desk.ticket.id,
        "It stopped",
        each_desk.account.name,
        "tess@people.example",
    )
    assert db.read(service.latest, who(each_desk, name), 5) == [row]
    (message,) = db.read(service.show, who(each_desk, name), each_desk.ticket.id).messages
    assert (message.author, message.text) == ("Tess", "Since Monday.")


def test_all_permissions_make_no_administrator(desk: Desk) -> None:
    every = replace(who(desk, "theo"), permissions=frozenset(Permission), all_accounts=True)
    with pytest.raises(NotFound):
        db.read(service.show, every, desk.ticket.id)


def test_operators_have_no_partner_side_and_open_none(desk: Desk) -> None:
    olga = who(desk, "olga")
    for act in [lambda: db.write(uploads.put, olga, 0, "a.png", PNG), *own_acts(olga, desk.ticket)[:3]]:
        with pytest.raises(Denied):
            act()
    with pytest.raises(Denied):
        db.write(service.open_ticket, olga, topic="other", subject="x", text="y")


def test_a_ticket_about_an_account_that_one_may_not_see_does_not_exist(each_desk: Desk) -> None:
    """Even one's own, once the account was taken out of what one sees."""

    def limit(session) -> None:
        for user in (each_desk.tess, each_desk.cast.alice):
            factories.give_accounts(session, session.merge(user), each_desk.cast.accounts_a[0])

    db.write(limit)
    for name in ("tess", "alice"):
        actor = replace(who(each_desk, name), all_accounts=False)
        assert db.read(service.list_page, actor, TicketQuery()).total == 0
        assert db.read(service.latest, actor, 5) == []
        for act in own_acts(actor, each_desk.ticket):
            with pytest.raises(NotFound):
                act()


@pytest.mark.parametrize("name", ["theo", "mallory", "tess"])
def test_a_new_ticket_is_about_an_account_that_one_may_see_or_none(desk: Desk, name: str) -> None:
    foreign = desk.cast.accounts_b[0] if name == "tess" else desk.account
    actor = who(desk, name)
    with pytest.raises(PortalError) as refusal:
        about = {"topic": "other", "subject": "x", "text": "y", "account_id": foreign.id}
        db.write(service.open_ticket, actor, **about)
    assert list(refusal.value.fields) == ["account_id"]
    assert db.read(service.start, actor, foreign.id).account is None
    assert foreign.id not in [line.id for line in db.read(service.account_choice, actor, "")]


def test_names_of_accounts_are_for_who_sees_accounts(desk: Desk) -> None:
    only = replace(who(desk, "alice"), permissions=frozenset({Permission.TICKETS_OPEN}))
    assert db.read(service.account_choice, only, "") == []
    assert not db.read(service.start, only, desk.account.id).may_choose
    with pytest.raises(NotFound):
        db.read(service.show, only, desk.ticket.id)


def test_what_is_gone_stays_readable_with_the_copied_names(each_desk: Desk) -> None:
    name = each_desk.account.name

    def go(session) -> None:
        account = session.get_one(type(each_desk.account), each_desk.account.id)
        session.delete(account)
        session.delete(session.get_one(User, each_desk.tess.id))

    db.write(go)
    found = db.read(service.show, who(each_desk, "alice"), each_desk.ticket.id)
    assert (found.account_name, found.account_id, found.opened_by) == (name, None, "tess@people.example")
    assert found.messages[0].author == "Tess"
    assert db.read(provider.show, who(each_desk, "olga"), each_desk.ticket.id).shown.account_name == name


def test_the_form_of_another_is_not_ones_own(desk: Desk) -> None:
    tess, alice = who(desk, "tess"), who(desk, "alice")
    db.write(uploads.put, tess, desk.ticket.id, "a.png", PNG)
    (file,) = db.read(uploads.waiting, tess, desk.ticket.id)
    assert db.read(uploads.waiting, alice, desk.ticket.id) == []
    db.write(uploads.remove, alice, desk.ticket.id, file.id)
    db.write(service.reply, alice, desk.ticket.id, desk.ticket.version, "Mine.")
    assert db.read(uploads.waiting, tess, desk.ticket.id) == [file]
    assert [one.files for one in db.read(service.show, alice, desk.ticket.id).messages] == [(), ()]


def test_files_are_had_by_who_has_the_message(each_desk: Desk) -> None:
    olga, tess = who(each_desk, "olga"), who(each_desk, "tess")
    number, version = each_desk.ticket.id, each_desk.ticket.version
    db.write(uploads.put, olga, number, "a.png", PNG)
    db.write(provider.note, olga, number, "For us.")
    db.write(uploads.put, olga, number, "a.png", PNG)
    db.write(provider.answer, olga, number, version, "For you.")
    (_, note, answer) = db.read(provider.show, olga, each_desk.ticket.id).shown.messages
    inner, outer = note.files[0].id, answer.files[0].id

    def had(name: str, file_id: int) -> bool:
        return db.read(repository.file_with_ticket, who(each_desk, name), file_id) is not None

    assert note.internal and not answer.internal
    assert [had(name, outer) for name in ("tess", "alice", "olga")] == [True] * 3
    assert not any(had(name, outer) for name in ("theo", "mallory", *WITHOUT))
    assert [name for name in ("tess", "alice", "theo", "mallory", *WITHOUT) if had(name, inner)] == []
    assert had("olga", inner)
    assert [one.text for one in db.read(service.show, tess, each_desk.ticket.id).messages] == [
        "Since Monday.",
        "For you.",
    ]


def test_an_account_that_was_taken_from_the_partner_takes_its_tickets_along(desk: Desk) -> None:
    def take(session, given: bool) -> None:
        session.get_one(type(desk.account), desk.account.id).partner_access = given

    db.write(take, False)
    for name in ("tess", "alice"):
        for act in own_acts(who(desk, name), desk.ticket):
            with pytest.raises(NotFound):
                act()
    assert db.read(provider.show, who(desk, "olga"), desk.ticket.id).shown.account_name == desk.account.name
    db.write(provider.answer, who(desk, "olga"), desk.ticket.id, desk.ticket.version, "To nobody.")
    assert len(db.read(lambda session: session.exec(select(OutboxMail)).all())) == 1
    db.write(take, True)
    assert db.read(service.show, who(desk, "tess"), desk.ticket.id).messages
