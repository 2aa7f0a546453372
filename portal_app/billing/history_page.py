"""`/billing/history`."""

import reflex as rx

from portal_app.billing.bill_query import BillList
from portal_app.billing.bills_components import history_table
from portal_app.billing.bills_state import BillsState
from portal_app.shell.layout import billing_page


@billing_page(BillList.HISTORY.value, "History", load=BillsState.load, help_topic="billing-history")
def history() -> rx.Component:
    """What was paid, with its documents."""
    return history_table()
