"""`/billing/status`."""

import reflex as rx

from portal_app.billing.components import first_choice, months, status_table, sums
from portal_app.billing.query import PATH
from portal_app.billing.state import StatusState
from portal_app.shell.layout import billing_page


@billing_page(PATH, "Billing > Status", load=StatusState.load, help_topic="billing-status")
def billing_status() -> rx.Component:
    """What each account owes and will owe."""
    return rx.fragment(first_choice(), sums(), months(), status_table())
