"""Mail is stored with the change, once, sealed, and can't smuggle a header."""

import pytest
from sqlmodel import Session, select

from portal_app import crypto, db
from portal_app.errors import Conflict
from portal_app.mail import links
from portal_app.mail.letter import Letter, pack, unpack
from portal_app.mail.service import place_of, queue
from portal_app.models import MailState, OutboxMail
from portal_app.settings import reset_settings, settings
from tests.tables import stored

LETTER = Letter(
    "Grüße aus 東京",
    ("Hello <b>you</b>,", "second"),
    action=("Open", "https://portal.example/reset?token=one-use-token"),
    items=(("Acme", "https://portal.example/accounts/1", "ends today"), ("Plain", "", "no address")),
    small=("Small print",),
)


@pytest.fixture
def mails(database):
    return lambda: db.read(lambda session: list(session.exec(select(OutboxMail).order_by(OutboxMail.id))))


def test_a_letter_survives_being_stored() -> None:
    assert unpack(pack(LETTER)) == LETTER
    assert unpack(pack(Letter("s", ("p",)))) == Letter("s", ("p",))


def test_it_is_stored_with_the_change_and_undone_with_it(mails) -> None:
    def change(session: Session, fails: bool) -> None:
        queue(session, "ann@people.example", LETTER, kind="test")
        if fails:
            raise Conflict("no")

    with pytest.raises(Conflict):
        db.write(change, fails=True)
    assert mails() == []
    db.write(change, fails=False)
    (mail,) = mails()
    assert (mail.recipient, mail.subject, mail.state) == ("ann@people.example", LETTER.subject, MailState.WAITING)
    assert mail.message_id.endswith("@portal.example>")


def test_one_event_queues_one_mail(mails) -> None:
    for once in ("a", "a", "b", None, None):
        db.write(queue, "ann@people.example", LETTER, kind="test", once=once)
    assert [mail.once for mail in mails()] == ["a", "b", None, None]
    assert len({mail.message_id for mail in mails()}) == 4


def test_the_letter_is_unreadable_at_rest_and_bound_to_its_row(mails) -> None:
    for _ in range(2):
        db.write(queue, "ann@people.example", LETTER, kind="test")
    first, second = mails()
    kept = stored()
    assert first.message_id.encode() in kept
    for secret in (b"one-use-token", b"Small print"):
        assert secret not in kept
    assert unpack(crypto.unseal(first.sealed, binding=place_of(first))) == LETTER
    with pytest.raises(crypto.Unreadable):
        crypto.unseal(first.sealed, binding=place_of(second))


@pytest.mark.parametrize(
    "to", ["ann@people.example\r\nBcc: eve@evil.example", "no address", "", "a@b.example, c@d.example"]
)
def test_an_unusable_address_fails_alone(mails, to) -> None:
    db.write(queue, to, LETTER, kind="test")
    (mail,) = mails()
    assert mail.state == MailState.FAILED
    assert "address" in mail.fault
    assert not set("\r\n") & set(mail.recipient)


def test_a_subject_is_one_line_and_not_endless(mails) -> None:
    db.write(queue, "ann@people.example", Letter("Hi\r\nBcc: eve@evil.example\x00", ("p",)), kind="test")
    db.write(queue, "ann@people.example", Letter("é" * 500, ("p",)), kind="test")
    smuggled, long = mails()
    assert smuggled.subject == "Hi Bcc: eve@evil.example"
    assert len(long.subject) == 200
    assert long.subject.endswith("…")


def test_addresses_in_mails_come_from_the_setting(monkeypatch) -> None:
    assert links.absolute("/reset?token=x") == "http://localhost:3000/reset?token=x"
    monkeypatch.setenv("PORTAL_PUBLIC_URL", "https://portal.acme.example/")
    reset_settings()
    assert links.absolute("/") == "https://portal.acme.example/"
    for elsewhere in ("//evil.example/", "https://evil.example/", "reset"):
        with pytest.raises(ValueError, match="slash"):
            links.absolute(elsewhere)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "portal.acme.example"),
        ("PUBLIC_URL", "https://portal.acme.example/path"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("PUBLIC_URL", "https://user:secret@portal.acme.example"),
        ("SMTP_FROM", "nobody"),
        ("SMTP_SECURITY", "ssl"),
        ("SMTP_PORT", "0"),
        ("BANK_TRANSFER_FROM", "USD=1000,EUR"),
    ],
)
def test_a_wrong_setting_stops_the_start(monkeypatch, name, value) -> None:
    monkeypatch.setenv(f"PORTAL_{name}", value)
    reset_settings()
    with pytest.raises(SystemExit, match=f"PORTAL_{name}"):
        settings()
