"""Bills by mail: when they are made, and again when somebody asks."""

from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.billing import document_reading, documents, letters, operators
from portal_app.billing.access import NO_SUCH_BILL, whole_bill
from portal_app.billing.document_reading import BillDocument
from portal_app.billing.parties import buyer
from portal_app.billing.profiles import profile_of
from portal_app.billing.words import kind_word
from portal_app.errors import Conflict, NotFound
from portal_app.mail import service as mail
from portal_app.models import Bill, Delivery

KIND = "bill"


def announce(session: Session, bill_id: int) -> None:
    """Queue the mail about a new bill or credit note, once, in the transaction that makes it.

    Nothing is queued for a partner without an address: the bill is on its pages all the same.
    """
    bill = session.get_one(Bill, bill_id)
    if to := buyer(session, bill.partner_id)["email"]:
        _queue(session, bill, to, once=f"bill:{bill.id}")


def email_invoice(session: Session, actor: Actor, bill_id: int) -> str:
    """Mail the bill again to the billing address of today; gives that address.

    Clicks of one minute are one mail. Raises Denied, NotFound, and Conflict where there is no address.
    """
    bill = whole_bill(session, actor, col(Bill.id) == bill_id)
    to = buyer(session, bill.partner_id)["email"]
    if not to:
        raise Conflict("There is no billing address yet. Enter one in Payment Details.")
    _queue(session, bill, to, once=f"bill:{bill.id}:{clock.now():%Y-%m-%dT%H:%M}")
    said = f"{kind_word(bill)} {bill.number} mailed to {to}"
    operators.note(session, actor, bill.partner_id, Activity.DATA_EXPORT, said)
    return to


def attachment(source: str) -> bytes:
    """The PDF of a letter's attachment such as "bill:7". Raises NotFound."""
    kind, _, number = source.partition(":")
    if kind != KIND:
        raise NotFound(NO_SUCH_BILL)
    return documents.pdf(db.read(_document, int(number)))


def _document(session: Session, bill_id: int) -> BillDocument:
    bill = session.get(Bill, bill_id)
    if bill is None:
        raise NotFound(NO_SUCH_BILL)
    return document_reading.of_bill(session, bill)


def _queue(session: Session, bill: Bill, to: str, *, once: str) -> None:
    attached = profile_of(session, bill.partner_id).delivery == Delivery.ATTACHMENT
    letter = letters.bill_sent(bill, attached=attached)
    mail.queue(session, to, letter, kind=KIND, partner_id=bill.partner_id, once=once)
