"""`/operator/bills/[number]`: a bill with its money."""

from typing import Any

import reflex as rx

from portal_app.operator.bill_state import BILLS, Fact, MoneyLine
from portal_app.operator.bill_state import OperatorBillState as State
from portal_app.operator.receipts_state import PATH as RECEIPTS
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    badge,
    button,
    callout,
    cut,
    dialog,
    empty_state,
    fault_in,
    link,
    link_button,
    select,
    table,
    text_input,
)

MONEY = (
    Column("Date", "date"),
    Column("Kind", "short"),
    Column("Amount", "number"),
    Column("Note", "text", on_card=False),
)


@operator_page(f"{BILLS}/[number]", "Bill", load=State.load, help_topic="operator-bill")
def operator_bill() -> rx.Component:
    """One bill or credit note."""
    gone = empty_state(
        "receipt-text",
        "There is no such bill",
        "Look for it among its partner's bills.",
        link_button("Show all partners", href="/operator"),
    )
    bars = (rx.el.span(class_name="skeleton") for _ in range(5))
    waiting = rx.el.div(*bars, class_name="card stack", aria_busy="true")
    return rx.cond(State.missing, gone, rx.cond(State.ready, _bill(), waiting))


def _bill() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(rx.el.h2(State.title), badge(State.status_kind, State.status, pill=True), class_name="row"),
            rx.el.dl(rx.foreach(State.facts, _fact), class_name="facts"),
            class_name="card stack",
        ),
        callout(
            "orange",
            rx.cond(State.back != "", State.back + " was paid beyond what is left of this bill.", ""),
            rx.el.div(button("Give back", small=True, disabled=State.under_way, on_click=State.ask("refund"))),
            live=False,
        ),
        callout("grey", rx.cond(State.under_way, "A payment or refund of this bill is under way.", ""), live=False),
        _actions(),
        _links(),
        table(
            "Payments",
            MONEY,
            State.money,
            _cells,
            row_key=lambda line: line["id"],
            empty=empty_state("wallet", "No money yet", "What was paid, credited or given back stands here."),
        ),
        _credit_dialog(),
        _refund_dialog(),
        class_name="stack",
    )


def _fact(fact: rx.Var[Fact]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact["label"]), rx.el.dd(fact["value"]))


def _actions() -> rx.Component:
    return rx.el.div(
        link_button("Download PDF", href="/operator/bills/" + State.number + ".pdf", icon="download", download=True),
        rx.cond(State.may_receive, link_button("Record receipt", href=f"{RECEIPTS}?bill=" + State.number)),
        rx.cond(State.may_credit, button("Credit note", on_click=State.ask("credit"))),
        link_button("Bills of this partner", href="/operator/partners/" + State.partner + "/billing"),
        class_name="row",
    )


def _links() -> rx.Component:
    return rx.fragment(
        rx.cond(
            State.credits_number != "",
            rx.el.p("It credits bill ", link(State.credits_number, href=f"{BILLS}/" + State.credits_number), "."),
        ),
        rx.cond(
            State.notes.length() > 0,
            rx.el.p(
                "Credit notes: ",
                rx.foreach(State.notes, lambda number: rx.fragment(link(number, href=f"{BILLS}/" + number), " ")),
            ),
        ),
    )


def _cells(line: rx.Var[MoneyLine]) -> list[Any]:
    return [line["day"], line["kind"], line["amount"], cut(line["note"])]


def _credit_dialog() -> rx.Component:
    return _dialog(
        "credit",
        "Make a credit note",
        "Make credit note",
        rx.el.p("It takes back a part of the bill, or all that is left of it, by a document of its own."),
        _amount("Amount with tax"),
        text_input("Reason", "reason", error=_fault("reason"), hint="Stands on the document.", auto_complete="off"),
    )


def _refund_dialog() -> rx.Component:
    return _dialog(
        "refund",
        "Give money back",
        "Give back",
        select("How", "way", State.ways, error=_fault("way")),
        _amount("Amount"),
        text_input(
            "Transferred on",
            "received_on",
            type="date",
            default_value=State.today,
            error=_fault("received_on"),
            hint="Only for a bank transfer.",
        ),
        text_input("Note", "note", error=_fault("note"), hint="Optional.", auto_complete="off"),
    )


def _amount(label: str) -> rx.Component:
    return text_input(
        label,
        "amount",
        default_value=State.typed_amount,
        error=_fault("amount"),
        input_mode="decimal",
        auto_complete="off",
    )


def _dialog(act: str, title: str, label: str, *fields: rx.Component) -> rx.Component:
    return dialog(
        State.asking == act,
        title,
        rx.el.form(
            *fields,
            rx.el.p(State.ask_error, class_name="field-error", custom_attrs={"role": "alert"}),
            id=f"{act}-form",
            on_submit=State.act,
            method="post",
            no_validate=True,
            class_name="form",
        ),
        id=f"{act}-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button(label, kind="danger", type="submit", busy=State.busy, custom_attrs={"form": f"{act}-form"}),
        ),
        on_close=State.close,
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
