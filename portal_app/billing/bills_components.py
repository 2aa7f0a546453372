"""The parts of History and Unpaid Bills."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from portal_app.accounts.rows import BILLING
from portal_app.billing.bill_query import STATUSES, BillList
from portal_app.billing.bills_state import BillsState as State
from portal_app.billing.bills_state import Line
from portal_app.ui import (
    Column,
    Figure,
    Filter,
    badge,
    button,
    cut,
    empty_state,
    icon_button,
    link,
    link_button,
    listing,
    widget,
)

STATUS = Filter("Status", "status", State.status, {key: BILLING[key][0] for key in STATUSES})
NO_MATCH = ("No bill matches", "None has all that the search and the filter ask for.", "Show all bills")
HISTORY_COLUMNS = (
    Column("Reference Number", "short", sort="number"),
    Column("Account Name", "name", sort="name"),
    Column("Issue Date", "date", sort="issued"),
    Column("Due Date", "date", sort="due", on_card=False),
    Column("Amount", "number", sort="amount"),
    Column("CSV", "action"),
)
UNPAID_COLUMNS = (
    Column("Payment Method", "short", on_card=False),
    Column("Account Name", "name", sort="name"),
    Column("Billing Status", "status", sort="status"),
    Column("Subscription", "short", on_card=False, wide_only=True),
    Column("Issue Date", "date", sort="issued", on_card=False, wide_only=True),
    Column("Due Date", "date", sort="due"),
    Column("Total Amount", "number", sort="amount"),
    Column("Download", "short"),
    Column("CSV", "short", on_card=False),
    Column("Email Invoice", "action"),
    Column("Pay Invoice", "action"),
)


def history_table() -> rx.Component:
    """What was paid or credited."""
    return _list(
        BillList.HISTORY,
        "Payments",
        HISTORY_COLUMNS,
        _history_cells,
        empty_state(
            "receipt-text",
            "No payments yet",
            "Bills that are paid are kept here, with their documents.",
            link_button("See what is open", href=BillList.UNPAID.value),
        ),
    )


def unpaid_table() -> rx.Component:
    """What is open."""
    return _list(
        BillList.UNPAID,
        "Unpaid bills",
        UNPAID_COLUMNS,
        _unpaid_cells,
        empty_state(
            "circle-check",
            "Nothing is unpaid",
            "Bills that wait for your payment are listed here.",
            link_button("See earlier payments", href=BillList.HISTORY.value),
        ),
        STATUS,
    )


def payment_status() -> rx.Component:
    """What is owed in all; a figure filters the list below."""

    def figure(label: str, kind: Any, shown: rx.Var, status: str = "", weight: rx.Var[int] | int = 0) -> Figure:
        href = f"{BillList.UNPAID}?status={status}" if status else BillList.UNPAID.value
        active = State.status == status if status else False
        return Figure(label, kind, weight, href, shown=shown.to(str), load=State.answer, active=active)

    return widget(
        "Payment status",
        [
            figure("Total Amount", "grey", State.total_amount),
            figure("Overdue", "red", State.overdue_amount, "overdue", State.overdue_weight),
            figure("Due", "orange", State.due_amount, "due", State.due_weight),
            figure("Open Invoices", "grey", State.invoices),
        ],
        loading=State.shown != BillList.UNPAID.value,
        amounts=True,
    )


def _list(
    of: BillList,
    title: str,
    columns: Sequence[Column],
    cells: Any,
    empty: rx.Component,
    *filters: Filter,
) -> rx.Component:
    return listing(
        State,
        title,
        columns,
        cells,
        loading=State.shown != of.value,
        path=of.value,
        placeholder="Number, account or email",
        filters=filters,
        no_match=NO_MATCH,
        empty=empty,
        reserve=8,
    )


def _history_cells(line: rx.Var[Line]) -> list[Any]:
    return [_number(line), _name(line), line["issued"], line["due"], line["amount"], _csv(line)]


def _unpaid_cells(line: rx.Var[Line]) -> list[Any]:
    return [
        line["method"],
        _name(line),
        badge(line["status_kind"], line["status"]),
        line["plan"],
        line["issued"],
        line["due"],
        line["amount"],
        _number(line),
        _csv(line),
        _email(line),
        _pay(line),
    ]


def _name(line: rx.Var[Line]) -> rx.Component:
    return rx.el.div(
        rx.cond(line["account"] != "", link(cut(line["name"]), href=line["account"]), cut(line["name"])),
        rx.cond(line["note"] != "", rx.el.span(line["note"], class_name="cut muted")),
        class_name="two-lines",
    )


def _number(line: rx.Var[Line]) -> rx.Component:
    number = line["number"].to_string()
    title = "Download the PDF of " + number
    return rx.cond(
        line["pdf"] != "",
        link(number, href=line["pdf"], download=True, title=title, class_name="num"),
        rx.el.span(number, class_name="num"),
    )


def _csv(line: rx.Var[Line]) -> rx.Component:
    title = "Download the lines of " + line["number"].to_string()
    return rx.cond(line["csv"] != "", link("CSV", href=line["csv"], download=True, title=title))


def _email(line: rx.Var[Line]) -> rx.Component:
    return rx.cond(
        line["pdf"] != "",
        icon_button(
            "Email Invoice",
            "mail",
            title="Email invoice " + line["number"].to_string() + " to the billing address",
            disabled=State.mailing_id == line["id"],
            on_click=State.email(line["id"]),
        ),
    )


def _pay(line: rx.Var[Line]) -> rx.Component:
    """What settles the bill: another card for one that is charged, else the processor's page."""
    card = rx.cond(
        State.may_change_card,
        link_button("Update Card", href="/billing/payment-details", small=True),
    )
    return rx.cond(line["by_card"], card, rx.cond(State.may_pay & (line["pdf"] != ""), _pay_button(line)))


def _pay_button(line: rx.Var[Line]) -> rx.Component:
    return button(
        "Pay Invoice",
        kind="primary",
        small=True,
        title="Pay " + line["number"].to_string() + " by card or PayPal",
        busy=State.paying_id == line["id"],
        disabled=State.paying_id != 0,
        on_click=State.pay(line["id"]),
    )
