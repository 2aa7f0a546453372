"""Bills by mail: to whom, how often, and by whom."""

import asyncio
from dataclasses import replace

import pytest
from sqlmodel import Session, select

from portal_app import db
from portal_app.auth.permissions import Permission
from portal_app.billing import mailing
from portal_app.billing.profiles import profile_to_change
from portal_app.errors import Conflict, Denied, NotFound
from portal_app.mail import delivery
from portal_app.mail.letter import Letter
from portal_app.mail.outbox import letter_of
from portal_app.mail.service import queue
from portal_app.models import AuditEvent, Bill, Delivery, OutboxMail
from tests.billing import factories
from tests.cast import Cast
from tests.mail.conftest import mailbox, use
from tests.mail.servers import Mailbox

__all__ = ["mailbox", "use"]


def _bill(cast: Cast, *, accounts: int = 2, **given) -> Bill:
    return db.write(factories.bill, cast.partner_a, [(one, 1_000) for one in cast.accounts_a[:accounts]], **given)


def _address(cast: Cast, email: str = "bills@alpha.example", delivery: Delivery = Delivery.LINK) -> None:
    def change(session: Session) -> None:
        profile = profile_to_change(session, cast.partner_a.id or 0)
        profile.email, profile.delivery = email, delivery
        session.add(profile)

    db.write(change)


def _mails() -> list[OutboxMail]:
    return db.read(lambda session: list(session.exec(select(OutboxMail))))


@pytest.mark.parametrize(
    ("who", "refusal"), [("nina", Denied), ("dave", Denied), ("bob", Denied), ("mallory", NotFound)]
)
def test_others_mail_nothing(cast: Cast, who: str, refusal: type[Exception]) -> None:
    _address(cast)
    bill = _bill(cast)
    with pytest.raises(refusal):
        db.write(mailing.email_invoice, cast.actor(who), bill.id)
    assert _mails() == []


def test_who_has_chosen_accounts_mails_only_bills_that_are_wholly_theirs(cast: Cast) -> None:
    _address(cast)
    bob = replace(cast.actor("bob"), permissions=frozenset({Permission.BILLING_VIEW}))
    shared, own = _bill(cast, accounts=2), _bill(cast, accounts=1)
    with pytest.raises(NotFound):
        db.write(mailing.email_invoice, bob, shared.id)
    assert db.write(mailing.email_invoice, bob, own.id) == "bills@alpha.example"


def test_an_unknown_bill_is_as_a_strangers(cast: Cast) -> None:
    bill = _bill(cast)
    with pytest.raises(NotFound) as foreign:
        db.write(mailing.email_invoice, cast.actor("mallory"), bill.id)
    with pytest.raises(NotFound) as unknown:
        db.write(mailing.email_invoice, cast.actor("mallory"), 999_999)
    assert foreign.value.sentence == unknown.value.sentence


def test_a_bill_is_mailed_as_a_link_and_audited(cast: Cast) -> None:
    _address(cast)
    bill = _bill(cast)
    db.write(mailing.email_invoice, cast.actor("carol"), bill.id)
    (mail,) = _mails()
    letter = letter_of(mail)
    assert letter
    assert letter.action
    assert mail.recipient == "bills@alpha.example"
    assert letter.action[1].endswith(f"/billing/bills/{bill.number}.pdf")
    assert letter.attachments == ()
    found = db.read(lambda session: list(session.exec(select(AuditEvent))))
    assert [row.description for row in found] == [f"Invoice {bill.number} mailed to bills@alpha.example"]


def test_as_an_attachment_the_letter_names_the_document(cast: Cast) -> None:
    _address(cast, delivery=Delivery.ATTACHMENT)
    bill = _bill(cast)
    db.write(mailing.announce, bill.id)
    letter = letter_of(_mails()[0])
    assert letter
    assert letter.attachments == ((f"invoice-{bill.number}.pdf", f"bill:{bill.id}"),)


def test_a_bill_is_announced_once_and_a_double_click_is_one_mail(cast: Cast) -> None:
    _address(cast)
    bill = _bill(cast)
    for _ in range(2):
        db.write(mailing.announce, bill.id)
    assert len(_mails()) == 1
    with db.writing() as session:
        for _ in range(2):
            mailing.email_invoice(session, cast.actor("carol"), bill.id or 0)
    assert len(_mails()) == 2


def test_without_an_address_a_person_is_told_and_the_cycle_goes_on(cast: Cast) -> None:
    bill = _bill(cast)
    db.write(mailing.announce, bill.id)
    with pytest.raises(Conflict, match="Payment Details"):
        db.write(mailing.email_invoice, cast.actor("carol"), bill.id)
    assert _mails() == []


def test_an_operators_deed_is_in_the_partners_audit(cast: Cast) -> None:
    _address(cast)
    bill = _bill(cast)
    db.write(mailing.email_invoice, cast.actor("olga"), bill.id)
    rows = db.read(lambda session: list(session.exec(select(AuditEvent))))
    assert {(row.partner_id, row.performed_by) for row in rows} == {
        (None, "olga@people.example"),
        (cast.partner_a.id, "olga@people.example"),
    }


def test_the_attached_bill_arrives_as_a_pdf(cast: Cast, mailbox: Mailbox) -> None:
    _address(cast, delivery=Delivery.ATTACHMENT)
    bill = _bill(cast)
    db.write(mailing.announce, bill.id)
    asyncio.run(delivery.deliver(mailing.attachment))
    ((_, message),) = mailbox.taken
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (f"invoice-{bill.number}.pdf", "application/pdf")
    assert file.get_content().startswith(b"%PDF")
    body = message.get_body(("plain",))
    assert body
    assert "It is attached, as a PDF." in body.get_content()


@pytest.mark.parametrize("source", ["bill:999999", "else:1"])
def test_what_can_not_be_attached_fails_and_the_other_mail_goes_out(cast: Cast, mailbox: Mailbox, source: str) -> None:
    letter = Letter("With a file", ("Hello",), attachments=(("x.pdf", source),))
    db.write(queue, "gone@customers.example", letter, kind="bill")
    db.write(queue, "here@customers.example", Letter("Without", ("Hello",)), kind="bill")
    asyncio.run(delivery.deliver(mailing.attachment))
    assert [str(message["To"]) for _, message in mailbox.taken] == ["here@customers.example"]
    assert {mail.recipient: mail.fault for mail in _mails()} == {
        "gone@customers.example": "What was to be attached is no longer there.",
        "here@customers.example": "",
    }
