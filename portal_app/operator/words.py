"""Words of the operators' pages."""

from portal_app.billing.words import CONSOLIDATED
from portal_app.models import BillingStatus, BillKind, BillState, PartnerState, PaymentKind
from portal_app.operator.rows import PersonRow

# Each state of a partner: its words and its colour.
PARTNER_STATES = {PartnerState.ACTIVE: ("Active", "green"), PartnerState.SUSPENDED: ("Suspended", "red")}
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


def second_factor(row: PersonRow) -> tuple[str, str]:
    """How somebody shows a second time who they are: its words and its colour."""
    ways = [words for words, has_it in (("App", row.two_factor), ("Passkey", row.passkey)) if has_it]
    return (" and ".join(ways), "green") if ways else ("None", "grey")
