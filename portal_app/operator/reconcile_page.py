"""`/operator/reconciliation`: entities beside what was billed of them."""

from typing import Any

import reflex as rx

from portal_app.operator.bill_state import BILLS
from portal_app.operator.reconcile_state import PATH, ComparedLine
from portal_app.operator.reconcile_state import ReconcileState as State
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    ask_for,
    badge,
    bare_select,
    callout,
    cut,
    empty_state,
    link,
    link_button,
    pager,
    table,
)

COLUMNS = (
    Column("Account Name", "name"),
    Column("Service", "text"),
    Column("Entities now", "number"),
    Column("Billed entities", "number"),
    Column("Billed quantity", "number", on_card=False),
    Column("Bill", "short"),
    Column("State", "status"),
)


@operator_page(PATH, "Reconciliation", load=State.load, help_topic="reconciliation")
def reconciliation() -> rx.Component:
    """One partner's entities, billed entities and lines."""
    return rx.el.div(
        rx.el.div(
            rx.el.h2(rx.cond(State.loading, "Services", State.count), custom_attrs={"aria-live": "polite"}),
            rx.el.div(
                bare_select(
                    "Partner",
                    "partner",
                    State.partners,
                    value=State.partner,
                    on_change=lambda code: _ask("partner", code),
                ),
                link_button(
                    rx.cond(State.every, "Only what differs", "Show all services"),
                    href=State.hrefs["others"],
                    load=State.answer,
                ),
                class_name="tools",
            ),
            class_name="toolbar",
        ),
        rx.foreach(State.faults, lambda sentence: callout("red", sentence, live=False)),
        rx.cond(
            ~State.loading & (State.faults.length() == 0),
            callout("green", "Bills, lines and shares add up, and no billed account has a gap.", live=False),
        ),
        table(
            "Reconciliation",
            COLUMNS,
            State.lines,
            _cells,
            row_key=lambda line: line["key"],
            loading=State.loading,
            reserve=8,
            empty=empty_state("scale", "Nothing differs", "What was billed last is what is there now."),
            foot=pager(
                State.page,
                State.pages,
                State.size,
                on_size=lambda size: _ask("size", size),
                previous=State.hrefs["before"],
                next=State.hrefs["after"],
                by_link=True,
                load=State.answer,
            ),
        ),
        rx.window_event_listener(on_popstate=State.answer),
        class_name="stack",
    )


def _ask(name: str, value: Any) -> list[Any]:
    return ask_for(State.answer, name, value, replace=False)


def _cells(line: rx.Var[ComparedLine]) -> list[Any]:
    return [
        cut(line["name"]),
        cut(line["service"]),
        line["entities"],
        line["billed"],
        line["quantity"],
        rx.cond(line["bill"] == "", "", link(line["bill"], href=f"{BILLS}/" + line["bill"])),
        rx.cond(line["differs"], badge("orange", "Differs"), badge("green", "Agrees")),
    ]
