"""What is written about a bill. The amount is in the letter; the bill itself follows as a link or is attached."""

from portal_app.billing.words import date_text, kind_word
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.models import Bill, BillingMethod, BillKind, BillState
from portal_app.money import amount_text
from portal_app.settings import settings


def bill_sent(bill: Bill, *, attached: bool) -> Letter:
    """Carries a bill, credit note or receipt to the billing address."""
    word, amount = kind_word(bill), amount_text(abs(bill.total_minor), bill.currency)
    page = f"/billing/bills/{bill.number}"
    action = ("Open the bill", page) if attached else (f"Download the {word.lower()}", f"{page}.pdf")
    return Letter(
        subject=f"{word} {bill.number} from {settings().brand_name}",
        paragraphs=(
            f"{word} {bill.number} of {date_text(bill.issued_on)}: {amount}.",
            _what_happens(bill),
            f"{'It is attached' if attached else 'Open it with the link below'}, as a PDF.",
        ),
        action=(action[0], absolute(action[1])),
        small=(f"You get this because this is the billing address of {bill.buyer.get('company', 'your company')}.",),
        attachments=((f"{file_name(bill)}.pdf", f"bill:{bill.id}"),) if attached else (),
    )


def file_name(bill: Bill) -> str:
    """The document's name without its ending, such as `invoice-41197`."""
    return f"{kind_word(bill).lower().replace(' ', '-')}-{bill.number}"


def _what_happens(bill: Bill) -> str:
    if bill.kind == BillKind.CREDIT_NOTE:
        return "This amount is credited to you. You need not do anything."
    if bill.state != BillState.OPEN:
        return "It is settled. You need not do anything."
    if bill.method == BillingMethod.CARD:
        return "It is charged to your card. You need not do anything."
    return f"Please pay it by {date_text(bill.due_on)}."
