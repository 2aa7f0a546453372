"""`/operator/receipts`: bank transfers that arrived."""

from typing import Any

import reflex as rx

from portal_app.operator.bill_state import BILLS
from portal_app.operator.receipts_state import PATH, ReceiptLine
from portal_app.operator.receipts_state import ReceiptsState as State
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    ask_for,
    button,
    callout,
    cut,
    empty_state,
    fault_in,
    focus_first_fault,
    pager,
    row_link,
    table,
    text_input,
)

COLUMNS = (
    Column("Reference Number", "name"),
    Column("Partner", "short"),
    Column("Received on", "date"),
    Column("Amount", "number"),
    Column("Note", "text", on_card=False),
)


@operator_page(PATH, "Bank Receipts", load=State.load, help_topic="bank-receipts")
def bank_receipts() -> rx.Component:
    """The form, and what was recorded last."""
    return rx.el.div(
        rx.cond(State.ready, _form(), rx.el.div(rx.el.span(class_name="skeleton"), class_name="card form")),
        rx.el.h2(rx.cond(State.ready, State.count, "Recorded transfers"), custom_attrs={"aria-live": "polite"}),
        table(
            "Recorded transfers",
            COLUMNS,
            State.lines,
            _cells,
            linked=True,
            row_key=lambda line: line["id"],
            loading=~State.ready,
            reserve=4,
            empty=empty_state("landmark", "No transfer recorded yet", "Record above what arrived for a bill."),
            foot=pager(
                State.page,
                State.pages,
                State.size,
                on_size=lambda size: ask_for(State.answer, "size", size),
                previous=State.previous_href,
                next=State.next_href,
                by_link=True,
                load=State.answer,
            ),
        ),
        rx.window_event_listener(on_popstate=State.answer),
        class_name="stack-l",
    )


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", State.error),
        focus_first_fault(State.errors.length() > 0),
        rx.el.section(
            rx.el.h2("Record a transfer"),
            text_input(
                "Reference Number",
                "number",
                default_value=State.number,
                error=_fault("number"),
                hint="The bill's number, as the customer gave it with the transfer.",
                input_mode="numeric",
                auto_complete="off",
            ),
            text_input(
                "Amount",
                "amount",
                error=_fault("amount"),
                hint="In the bill's currency; a part of the bill, too.",
                input_mode="decimal",
                auto_complete="off",
            ),
            text_input(
                "Received on", "received_on", type="date", default_value=State.today, error=_fault("received_on")
            ),
            text_input("Note", "note", error=_fault("note"), hint="Optional.", auto_complete="off"),
            rx.el.div(
                button("Record receipt", kind="primary", type="submit", busy=State.busy), class_name="form-actions"
            ),
            class_name="card stack",
            aria_label="Record a transfer",
        ),
        on_submit=State.save,
        method="post",
        no_validate=True,
        class_name="form",
    )


def _cells(line: rx.Var[ReceiptLine]) -> list[Any]:
    return [
        row_link(line["number"], f"{BILLS}/" + line["number"]),
        line["partner"],
        line["day"],
        line["amount"],
        cut(line["note"]),
    ]


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
