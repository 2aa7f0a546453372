"""Adding, changing and deleting trusted addresses; turning them on and off."""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from portal_app import db
from portal_app.auth.actor import NOBODY, Actor, ActorKind, Origin, system
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.ip_restrictions import letters, repository, service
from portal_app.ip_restrictions.rows import Entry, EntryForm, Overview
from portal_app.models import OutboxMail, Partner, PartnerChange, TrustedSpan
from tests.cast import Cast
from tests.factories import actor
from tests.ip_restrictions.places import HOME, OFFICE, add_entry, open_to_all, restrict, settings_changes

OWN = EntryForm("Main Office", OFFICE.address)
OTHER = EntryForm("VPN", HOME.address)


def show(who: Actor) -> Overview:
    return db.read(service.overview, who)


def add(who: Actor, form: EntryForm = OWN) -> str:
    return db.write(service.add, who, form)


def is_on(cast: Cast) -> bool:
    return db.read(lambda session: session.get(Partner, cast.partner_a.id).ip_restricted)


def _without(cast: Cast) -> Actor:
    return actor(cast.alice, permissions=frozenset(Permission) - {Permission.SECURITY_MANAGE})


@pytest.mark.parametrize("who", ["nobody", "bob", "dave", "olga", "without", "token"])
def test_only_who_manages_security_sees_or_changes_them(cast: Cast, who: str) -> None:
    entry = db.write(add_entry, cast.partner_a, OFFICE.address)
    program = Actor(kind=ActorKind.TOKEN, partner_id=cast.partner_a.id)
    found = {"nobody": NOBODY, "without": _without(cast), "token": program}.get(who) or cast.actor(who)
    acts = (
        lambda: show(found),
        lambda: add(found),
        lambda: db.write(service.change, found, entry.id, OWN),
        lambda: db.write(service.delete, found, entry.id),
        lambda: db.write(service.switch, found, True),
        lambda: db.write(service.turn_off, found, cast.partner_a.code),
    )
    # An operator lets a partner in again that locked itself out.
    for act in acts[:-1] if who == "olga" else acts:
        with pytest.raises(Denied):
            act()
    assert settings_changes() == []


def test_a_strangers_entry_is_like_an_unknown_one(cast: Cast) -> None:
    entry = db.write(add_entry, cast.partner_b, OFFICE.address)
    told = set()
    for number in (entry.id, 999_999):
        for act, more in ((service.change, (OWN,)), (service.delete, ())):
            with pytest.raises(NotFound) as found:
                db.write(act, cast.actor("alice"), number, *more)
            told.add(found.value.sentence)
    assert len(told) == 1
    assert show(cast.actor("alice")).entries == []
    assert len(show(cast.actor("mallory")).entries) == 1


def test_the_first_address_turns_them_on_when_it_is_ones_own(cast: Cast) -> None:
    alice = cast.actor("alice")
    assert show(alice) == Overview(OFFICE.address, False, False, [])
    assert "is on" in add(alice)
    found = show(alice)
    assert (found.is_on, found.is_own_trusted) == (True, True)
    assert [(entry.description, entry.addresses) for entry in found.entries] == [("Main Office", OFFICE.address)]
    assert settings_changes() == [f"IP restrictions: added “Main Office” ({OFFICE.address}) and turned them on"]


def test_without_ones_own_address_they_stay_off_and_cannot_be_turned_on(cast: Cast) -> None:
    alice = cast.actor("alice")
    assert "stays off" in add(alice, OTHER)
    with pytest.raises(Conflict, match=OFFICE.address):
        db.write(service.switch, alice, True)
    assert not is_on(cast)
    assert "you can turn it on" in add(alice, OWN)
    assert not is_on(cast)
    db.write(service.switch, alice, True)
    assert is_on(cast)
    db.write(service.switch, alice, True)
    db.write(service.switch, alice, False)
    assert not is_on(cast)
    assert settings_changes()[2:] == ["IP restrictions: turned them on", "IP restrictions: turned them off"]


def test_who_turned_them_off_does_not_turn_them_on_by_adding(cast: Cast) -> None:
    alice = cast.actor("alice")
    add(alice)
    db.write(service.switch, alice, False)
    add(alice, OTHER)
    assert not is_on(cast)


@pytest.mark.parametrize("form", [OTHER, EntryForm("", "", "192.0.2.8", "192.0.2.255")])
def test_while_on_no_change_leaves_ones_own_address_out(cast: Cast, form: EntryForm) -> None:
    alice = cast.actor("alice")
    add(alice)
    before, (entry,) = settings_changes(), show(alice).entries
    for act in (
        lambda: db.write(service.change, alice, entry.id, form),
        lambda: db.write(service.delete, alice, entry.id),
    ):
        with pytest.raises(Conflict, match=OFFICE.address):
            act()
    assert show(alice).entries == [entry]
    assert db.read(repository.is_trusted, cast.partner_a.id, OFFICE.address)
    assert settings_changes() == before


def test_what_leaves_it_in_is_taken_and_holds_at_once(cast: Cast) -> None:
    alice = cast.actor("alice")
    add(alice)
    add(alice, OTHER)
    own, other = show(alice).entries
    db.write(service.change, alice, own.id, EntryForm("All", "", "192.0.2.0", "192.0.2.255"))
    db.write(service.delete, alice, other.id)
    assert [entry.addresses for entry in show(alice).entries] == ["192.0.2.0 - 192.0.2.255"]
    assert not db.read(repository.is_trusted, cast.partner_a.id, HOME.address)
    assert len(db.read(lambda session: list(session.exec(select(TrustedSpan))))) == 1
    assert settings_changes()[2:] == [
        f"IP restrictions: changed “Main Office” ({OFFICE.address}) to “All” (192.0.2.0 - 192.0.2.255)",
        f"IP restrictions: deleted “VPN” ({HOME.address})",
    ]


def test_while_off_the_list_may_be_anything(cast: Cast) -> None:
    alice = cast.actor("alice")
    add(alice)
    db.write(service.switch, alice, False)
    (entry,) = show(alice).entries
    db.write(service.change, alice, entry.id, OTHER)
    db.write(service.delete, alice, entry.id)
    assert show(alice).entries == []


def test_whom_a_colleague_locked_out_changes_nothing_any_more(cast: Cast) -> None:
    """Their event was on its way when the colleague's change came."""
    db.write(restrict, cast.partner_a, HOME.address)
    alice = cast.actor("alice")
    for act in (lambda: add(alice), lambda: db.write(service.switch, alice, False)):
        with pytest.raises(Denied, match=OFFICE.address):
            act()
    assert is_on(cast)


def test_one_may_come_by_ipv6_in_the_clothes_of_ipv4(cast: Cast) -> None:
    alice = cast.actor("alice")
    mapped = Actor(**{name: getattr(alice, name) for name in alice.__slots__} | {"origin": Origin("::ffff:192.0.2.7")})
    assert show(mapped).own_address == OFFICE.address
    assert "is on" in add(mapped)


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        (EntryForm(), {"addresses"}),
        (EntryForm("x", " , ,"), {"addresses"}),
        (EntryForm("x", "office"), {"addresses"}),
        (EntryForm("x", "192.0.2.1; 192.0.2.2"), {"addresses"}),
        (EntryForm("x", "192.0.2.256"), {"addresses"}),
        (EntryForm("x", "192.0.2.1/33"), {"addresses"}),
        (EntryForm("x", "fe80::1%eth0"), {"addresses"}),
        (EntryForm("x", "192.0.2.010"), {"addresses"}),
        (EntryForm("x", "192.0.2.9-192.0.2.1"), {"addresses"}),
        (EntryForm("x", "192.0.2.1-2-3"), {"addresses"}),
        (EntryForm("x", "\u0661.2.3.4"), {"addresses"}),
        (EntryForm("x", ",".join(["192.0.2.1"] * 101)), {"addresses"}),
        (EntryForm("x", "1" * 100_000), {"addresses"}),
        (EntryForm("x", "", "192.0.2.1"), {"last"}),
        (EntryForm("x", "", "", "192.0.2.1"), {"first"}),
        (EntryForm("x", "", "192.0.2.9", "192.0.2.1"), {"last"}),
        (EntryForm("x", "", "192.0.2.9", "2001:db8::1"), {"last"}),
        (EntryForm("x", "", "192.0.2.0/24", "192.0.3.0/24"), {"first", "last"}),
        (EntryForm("d" * 121, "bad", "", "worse"), {"description", "addresses", "first", "last"}),
        (EntryForm("Bell\x07", "192.0.2.1"), {"description"}),
        (EntryForm("Everybody", "192.0.2.1, 0.0.0.0/0"), {"addresses"}),
        (EntryForm("Everybody", "::/0"), {"addresses"}),
        (EntryForm("Everybody", "", "0.0.0.0", "255.255.255.255"), {"addresses"}),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else str(value)[:60],
)
def test_what_is_no_address_gets_its_sentence_and_nothing_is_saved(cast: Cast, form: EntryForm, faults: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        add(cast.actor("alice"), form)
    assert refusal.value.fields.keys() == faults
    assert show(cast.actor("alice")).entries == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (("192.0.2.1,192.0.2.2", "", ""), "192.0.2.1, 192.0.2.2"),
        (("192.0.2.1, 192.0.2.1", "", ""), "192.0.2.1"),
        (("192.0.2.77/24", "", ""), "192.0.2.0/24"),
        (("192.0.2.1/32, 2001:DB8:0::1/128", "", ""), "192.0.2.1, 2001:db8::1"),
        (("::ffff:192.0.2.1, ::ffff:192.0.2.0/120", "", ""), "192.0.2.1, 192.0.2.0/24"),
        (("10.0.0.1", "192.0.2.0", "192.0.2.255"), "10.0.0.1, 192.0.2.0 - 192.0.2.255"),
        (("10.0.0.1 - 10.0.0.9, 10.1.0.1", "", ""), "10.0.0.1 - 10.0.0.9, 10.1.0.1"),
        (("", "::ffff:10.0.0.1", "10.0.0.9"), "10.0.0.1 - 10.0.0.9"),
    ],
)
def test_an_entry_is_shown_in_one_form_and_reads_as_itself(given: tuple[str, str, str], shown: str) -> None:
    assert service.addresses.joined(service.addresses.parse(*given)) == shown
    again = service.addresses.split(shown)
    assert service.addresses.joined(service.addresses.parse(*again)) == shown


def test_there_is_an_end_to_the_list(cast: Cast) -> None:
    for number in range(service.MOST_ENTRIES):
        db.write(add_entry, cast.partner_a, f"10.0.0.{number}")
    with pytest.raises(Invalid, match="100 entries"):
        add(cast.actor("alice"))


def test_there_is_an_end_to_the_addresses_of_all_entries(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_SPANS", 3)
    add(cast.actor("alice"), EntryForm("", "192.0.2.7, 10.0.0.1"))
    with pytest.raises(Invalid) as refusal:
        add(cast.actor("alice"), EntryForm("", "10.0.0.2, 10.0.0.3"))
    assert list(refusal.value.fields) == ["addresses"]
    assert len(show(cast.actor("alice")).entries) == 1
    add(cast.actor("alice"), EntryForm("", "10.0.0.2 - 10.0.0.3"))


def test_the_command_lets_them_in_again_and_keeps_the_list(restricted: Cast) -> None:
    assert db.write(service.turn_off, system(), " alpha001 ") is True
    assert db.write(service.turn_off, system(), "ALPHA001") is False
    assert not is_on(restricted)
    assert len(show(restricted.actor("alice")).entries) == 1
    assert settings_changes() == ["IP restrictions: turned them off"]
    with pytest.raises(NotFound):
        db.write(service.turn_off, system(), "NOBODY01")


def test_open_pages_are_woken_by_a_change(cast: Cast) -> None:
    def number(session: Session) -> int:
        return session.exec(
            select(PartnerChange.number).where(col(PartnerChange.partner_id) == cast.partner_a.id)
        ).one()

    before = db.read(number)
    add(cast.actor("alice"))
    assert db.read(number) > before
    db.write(open_to_all, cast.partner_a)


def _mails() -> list[tuple[str, str]]:
    wanted = select(OutboxMail.recipient, OutboxMail.subject).order_by(col(OutboxMail.id))
    return db.read(lambda session: [tuple(row) for row in session.exec(wanted)])


def test_each_change_is_mailed_to_the_administrators_and_no_refusal_is(cast: Cast) -> None:
    alice = cast.actor("alice")
    add(alice)
    (entry,) = show(alice).entries
    with pytest.raises(Conflict):
        db.write(service.delete, alice, entry.id)
    db.write(service.change, alice, entry.id, EntryForm("Office", "192.0.2.0/24"))
    db.write(service.switch, alice, False)
    db.write(service.switch, alice, False)
    db.write(service.delete, alice, entry.id)
    assert _mails() == [(cast.alice.email, "IP restrictions of Alpha were changed")] * 4


def test_the_letter_says_who_did_what_and_what_holds_now() -> None:
    entries = [Entry(number, "" if number % 2 else "Office", f"192.0.2.{number}") for number in range(30)]
    letter = letters.changed("Alpha", "alice@people.example", "turned them on", True, entries)
    assert "alice@people.example" in letter.paragraphs[0]
    assert "turned them on" in letter.paragraphs[0]
    assert "only from the trusted" in letter.paragraphs[1]
    assert letter.items[:2] == (("Office", "", "192.0.2.0"), ("192.0.2.1", "", ""))
    assert letter.items[-1] == ("", "", "and 10 more")
    assert letters.changed("Alpha", "x", "y", False, []).items == ()
