"""The parts of Billing > Status."""

from typing import Any

import reflex as rx

from portal_app.accounts.rows import BILLING, STATUS
from portal_app.billing.lines import NOTHING, Line
from portal_app.billing.query import PATH
from portal_app.billing.state import StatusState as State
from portal_app.billing.words import METHODS
from portal_app.models import BillingMethod
from portal_app.ui import (
    Column,
    Filter,
    badge,
    bar_chart,
    button,
    callout,
    cut,
    empty_state,
    link_button,
    listing,
    row_link,
    tip,
)

FILTERS = (
    Filter("Billing Status", "billing", State.billing, {key: words for key, (words, _) in BILLING.items()}),
    Filter("Subscription", "status", State.status, {key: words for key, (words, _) in STATUS.items()}),
)
COLUMNS = (
    Column("Account Name", "name", sort="name"),
    Column("Email", "text", sort="email", on_card=False, wide_only=True),
    Column("Billing Status", "status", sort="billing"),
    Column("Subscription", "short", sort="status"),
    Column("Renewal Date", "date", on_card=False),
    Column("Amount Due", "number", sort="amount"),
    Column("Next Payment Forecast", "number"),
)


def first_choice() -> rx.Component:
    """Asked once: how the monthly subscriptions are billed."""
    return rx.cond(
        ~State.loading & (State.method == ""),
        rx.el.section(
            rx.el.h2("How do you want to be billed?"),
            rx.el.p(
                "With Credit Card, one automatic charge a month covers all monthly subscriptions. With Invoice, you "
                "get one invoice a month, due a month after its issue and payable by card or PayPal. Annual ones "
                "are always billed by invoice. Only your provider can change this later."
            ),
            rx.cond(
                State.may_choose,
                rx.el.div(*(_choice(method) for method in METHODS), class_name="row"),
                rx.el.p("Someone with the permission to manage payment details chooses here.", class_name="muted"),
            ),
            class_name="card stack",
            aria_label="Billing method",
        ),
    )


def _choice(method: BillingMethod) -> rx.Component:
    return button(
        METHODS[method],
        kind="primary",
        icon={BillingMethod.CARD: "credit-card", BillingMethod.INVOICE: "receipt-text"}[method],
        busy=State.choosing == method,
        disabled=State.choosing != "",
        on_click=State.choose(method),
    )


def sums() -> rx.Component:
    """What is owed, and what will be."""
    return rx.fragment(
        callout("orange", State.unpriced, live=False),
        rx.el.dl(
            _sum("Total Amount Due", State.due),
            _sum("Total Forecast Amount", rx.cond(State.unpriced == "", State.forecast, NOTHING)),
            # Its place is free while it loads: only who was never asked has none.
            rx.cond(
                State.loading | (State.method != ""),
                _sum("Billing method", rx.cond(State.loading, "", rx.Var.create(_METHOD_WORDS)[State.method])),
            ),
            class_name="facts card sums",
        ),
    )


def months() -> rx.Component:
    """What was billed, and what the next bills will be."""
    return bar_chart(
        "Billed per month", State.billed, ("Billed", "Forecast"), first_heading="Month", loading=State.forecast == ""
    )


_METHOD_WORDS = {str(method): words for method, words in METHODS.items()}


def _sum(label: str, words: rx.Var[str]) -> rx.Component:
    shown = rx.cond(words == "", rx.el.span(class_name="skeleton"), words)
    return rx.el.div(rx.el.dt(label), rx.el.dd(shown))


def status_table() -> rx.Component:
    """The accounts with what each owes and will owe."""
    return listing(
        State,
        "Accounts",
        COLUMNS,
        _cells,
        linked=True,
        loading=State.loading,
        path=PATH,
        placeholder="Name or email",
        filters=FILTERS,
        no_match=(
            "No account matches",
            "No account has all that the search and the filters ask for.",
            "Show all accounts",
        ),
        empty=empty_state(
            "receipt-text",
            "Nothing to bill yet",
            "Each customer's subscription, what it owes and what it will cost stand here once there is an account.",
            link_button("Go to the start page", href="/"),
        ),
    )


def _cells(line: rx.Var[Line]) -> list[Any]:
    return [
        row_link(line["name"], "/billing/accounts/" + line["id"].to_string()),
        cut(line["email"]),
        billing_badge(line["billing"]),
        line["plan"],
        line["renewal"],
        line["amount"],
        rx.cond(
            State.forecasts.contains(line["id"]),
            tip(State.forecasts[line["id"]], State.forecast_days[line["id"]]),
            NOTHING,
        ),
    ]


def billing_badge(key: rx.Var[str]) -> rx.Component:
    """A billing status; its words and colour stand in the page."""
    words, kinds = ({str(one): pair[part] for one, pair in BILLING.items()} for part in (0, 1))
    return badge(rx.Var.create(kinds)[key], rx.Var.create(words)[key])
