"""`/billing/accounts/{id}`: an account's bills and its subscription."""

import reflex as rx

from portal_app.billing.account_components import actions, bills, dialogs, imported, lines, why_dialog
from portal_app.billing.account_state import PATH
from portal_app.billing.account_state import AccountBillsState as State
from portal_app.billing.bills_state import BillsState
from portal_app.billing.components import billing_badge
from portal_app.billing.leaving_components import leaving_form
from portal_app.billing.query import PATH as STATUS
from portal_app.shell.layout import billing_tabs, portal_page
from portal_app.ui import bone, callout, facts, icon, link, link_button

FACTS = 5


@portal_page(f"{PATH}/[account_id]", "Account billing", load=State.load, help_topic="billing-account")
def account_bills() -> rx.Component:
    """Head, bills, and the lines of one of them."""
    return rx.cond(State.missing, _missing(), rx.fragment(_head(), lines(), bills(), imported(), _on_top()))


def _missing() -> rx.Component:
    return rx.el.div(
        rx.el.h1("There is no such account"),
        rx.el.p("It may have been deleted, or it is not yours to see."),
        link_button("Back to Billing > Status", href=STATUS),
        class_name="error-page",
    )


def _head() -> rx.Component:
    return rx.el.header(
        rx.el.nav(link(icon("arrow-left"), "Billing > Status", href=STATUS), class_name="crumbs", aria_label="Back"),
        rx.el.div(
            rx.el.div(
                rx.el.h1(rx.cond(State.loading, "Account billing", State.title), class_name="cut", title=State.title),
                rx.el.span(State.email, class_name="cut muted", title=State.email),
                class_name="two-lines",
            ),
            actions(),
            class_name="page-head",
        ),
        billing_tabs(),
        callout("orange", State.over_cap, live=False),
        rx.el.dl(
            rx.el.div(
                rx.el.dt("Payment Status"), rx.el.dd(rx.cond(State.loading, bone(), billing_badge(State.status)))
            ),
            facts(State.facts, loading=State.loading, waiting=FACTS),
            rx.el.div(
                rx.el.dt("Next Payment Forecast"),
                rx.el.dd(
                    rx.cond(State.forecast == "", bone(), State.forecast), title="If the usage stays as it is today"
                ),
            ),
            class_name="facts card",
        ),
        class_name="stack",
    )


def _on_top() -> rx.Component:
    return rx.fragment(
        why_dialog(),
        dialogs(),
        leaving_form(BillsState.leave_for),
        rx.window_event_listener(on_popstate=State.answer),
    )
