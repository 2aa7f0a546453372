"""What is written to a partner about payments and cards."""

from datetime import date

from portal_app.billing.words import date_text
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.models import Bill, Card, PaymentAttempt
from portal_app.money import amount_text


def refused(bill: Bill, reason: str, again: date | None) -> Letter:
    """The card could not be charged; `again` is the day of the next try."""
    then = f"We will try again on {date_text(again)}." if again else "We will not try again by ourselves."
    return Letter(
        subject=f"Your card could not be charged for invoice {bill.number}",
        paragraphs=(
            f"We could not charge your card with {_open(bill)} for invoice {bill.number}. {reason}".strip(),
            f"{then} Please check your card, or add another one.",
        ),
        action=("Update credit card details", absolute("/billing/payment-details")),
    )


def receipt(bill: Bill, attempt: PaymentAttempt) -> Letter:
    """The money came."""
    amount = amount_text(attempt.amount_minor, attempt.currency)
    return Letter(
        subject=f"Receipt for invoice {bill.number}",
        paragraphs=(f"Thank you. We have received {amount} for invoice {bill.number}.",),
        action=("See paid bills", absolute("/billing/history")),
    )


def reminder(bill: Bill, on: date) -> Letter:
    """An invoice is due soon, or has been for a while."""
    late = on > bill.due_on
    state = f"has been due since {date_text(bill.due_on)}" if late else f"is due on {date_text(bill.due_on)}"
    return Letter(
        subject=f"Invoice {bill.number} is {'overdue' if late else 'due soon'}",
        paragraphs=(
            f"Invoice {bill.number} of {date_text(bill.issued_on)} {state}; {_open(bill)} is open.",
            "If you have paid it in the meantime, you need not do anything.",
        ),
        action=("Pay the invoice", absolute("/billing/unpaid")),
    )


def expiring(card: Card) -> Letter:
    """The card that is charged ends next month."""
    return Letter(
        subject="Your card expires next month",
        paragraphs=(
            f"Your {card.brand} card ending in {card.last4} expires at the end of"
            f" {card.expiry_month:02}/{card.expiry_year}.",
            "Please add its successor, so that your next bill can be paid by it.",
        ),
        action=("Update credit card details", absolute("/billing/payment-details")),
    )


def _open(bill: Bill) -> str:
    return amount_text(bill.total_minor - bill.settled_minor, bill.currency)
