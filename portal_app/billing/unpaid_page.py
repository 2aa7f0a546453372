"""`/billing/unpaid`."""

import reflex as rx

from portal_app.billing.bill_query import BillList
from portal_app.billing.bills_components import payment_status, unpaid_table
from portal_app.billing.bills_state import BillsState
from portal_app.billing.leaving_components import leaving_form
from portal_app.shell.layout import billing_page


@billing_page(BillList.UNPAID.value, "Unpaid Bills", load=BillsState.load, help_topic="unpaid-bills")
def unpaid() -> rx.Component:
    """What is owed, and the ways to pay it."""
    return rx.fragment(payment_status(), unpaid_table(), leaving_form(BillsState.leave_for))
