"""Words of the operators' pages."""

from portal_app.billing.words import CONSOLIDATED
from portal_app.models import BillingStatus, BillKind, BillState, PaymentKind

STATUSES = {
    BillingStatus.CURRENT: ("Paid", "green"),
    BillingStatus.DUE: ("Due", "orange"),
    BillingStatus.OVERDUE: ("Overdue", "red"),
    BillState.PAID: ("Paid", "green"),
    BillState.CREDITED: ("Credited", "grey"),
}
PAYMENTS = {
    PaymentKind.CARD: "Card",
    PaymentKind.PAYPAL: "PayPal",
    PaymentKind.BANK: "Bank transfer",
    PaymentKind.CREDIT: "Credit note",
    PaymentKind.REFUND: "Given back",
}


def whose(kind: str, account_name: str) -> str:
    """What stands in the list for the bill's account."""
    return account_name if kind == BillKind.ACCOUNT else CONSOLIDATED
