"""The parts of the page of an account's bills."""

from typing import Any

import reflex as rx

from portal_app.billing.account_lines import BillWords, LineWords
from portal_app.billing.account_state import PATH
from portal_app.billing.account_state import AccountBillsState as State
from portal_app.billing.bills_state import BillsState
from portal_app.billing.why import Reason, TaskShare
from portal_app.portal_import.rows import BillLine
from portal_app.ui import (
    Column,
    autofocus_attrs,
    badge,
    button,
    confirm,
    dialog,
    empty_state,
    link,
    link_button,
    row_link,
    table,
    text_input,
)

BILLS = (
    Column("Issue Date", "name"),
    Column("Status", "status"),
    Column("Due Date", "date"),
    Column("Effective Date", "date", on_card=False),
    Column("Total Amount", "number"),
    Column("Download Invoice", "short"),
    Column("Email Invoice", "action"),
    Column("Pay Invoice", "action"),
)
IMPORTED = (
    Column("Period", "name"),
    Column("Status", "status"),
    Column("Paid by", "short"),
    Column("Total", "number"),
)
LINES = (
    Column("Service", "name"),
    Column("Period", "date", on_card=False),
    Column("Quantity", "number"),
    Column("Unit Price", "number"),
    Column("Amount", "number"),
    Column("Why this line?", "action"),
)


def actions() -> rx.Component:
    """What may be changed about the subscription."""
    words = rx.match(State.other_plan, ("annual", "Change to Annual"), "Change to Monthly")
    return rx.cond(
        State.may_subscribe & (State.other_plan != ""),
        rx.el.div(
            button("Seat Cap", on_click=State.ask("cap")),
            rx.cond(
                State.changing,
                button("Undo the change", on_click=State.ask("undo")),
                rx.fragment(
                    rx.cond(State.may_change_plan, button(words, on_click=State.ask("change"))),
                    button("Cancel Subscription", kind="danger", on_click=State.ask("cancel")),
                ),
            ),
            class_name="page-actions",
        ),
    )


def bills() -> rx.Component:
    """The account's bills; a click on one shows its lines."""
    return rx.el.section(
        rx.el.h2("Bills"),
        table(
            "Bills",
            BILLS,
            State.bills,
            _bill,
            linked=True,
            row_key=lambda bill: bill["id"],
            loading=State.loading,
            reserve=4,
            empty=empty_state(
                "receipt-text", "No bill yet", "The first bill comes with the subscription; a trial costs nothing."
            ),
        ),
        class_name="stack",
        aria_label="Bills",
    )


def imported() -> rx.Component:
    """Bills of an existing portal: history that counts in nothing here."""
    return rx.cond(
        State.imported.length() > 0,
        rx.el.section(
            rx.el.h2("Imported bills"),
            rx.el.p("From the portal that this account came from. They count in nothing here.", class_name="muted"),
            table("Imported bills", IMPORTED, State.imported, _imported, row_key=lambda bill: bill["id"]),
            class_name="stack",
            aria_label="Imported bills",
        ),
    )


def _imported(bill: rx.Var[BillLine]) -> list[Any]:
    return [bill["period"], badge("grey", "Imported"), bill["payment"], bill["total"]]


def _bill(bill: rx.Var[BillWords]) -> list[Any]:
    number = bill["number"].to(str)
    href = f"{PATH}/" + State.account_id.to_string() + "?bill=" + number
    return [
        row_link(bill["issued"], href, load=State.answer),
        badge(bill["status_kind"], bill["status"]),
        bill["due"],
        bill["effective"],
        _amount(bill),
        rx.cond(
            bill["pdf"] != "",
            link(number, href=bill["pdf"], download=True, title="Download the PDF of " + number, class_name="num"),
            rx.el.span(number, class_name="num"),
        ),
        rx.cond(bill["pdf"] != "", _email(bill, number)),
        rx.cond(bill["open"], rx.cond(bill["by_card"], _card(), _pay(bill, number))),
    ]


def _amount(bill: rx.Var[BillWords]) -> rx.Component:
    """The account's share, and below it what of it is open once a part was received."""
    rest = rx.cond(bill["rest"] != "", rx.el.span(bill["rest"], class_name="muted"))
    return rx.el.div(rx.el.span(bill["amount"]), rest, class_name="two-lines")


def _email(bill: rx.Var[BillWords], number: rx.Var[str]) -> rx.Component:
    return button(
        "Email Invoice",
        small=True,
        title=f"Mail {number} to the billing address",
        busy=BillsState.mailing_id == bill["id"],
        on_click=BillsState.email(bill["id"]),
    )


def _card() -> rx.Component:
    return rx.cond(
        State.may_change_card,
        link_button("Update Credit Card Details", href="/billing/payment-details", small=True),
    )


def _pay(bill: rx.Var[BillWords], number: rx.Var[str]) -> rx.Component:
    return rx.cond(
        State.may_pay & (bill["pdf"] != ""),
        button(
            "Pay Invoice",
            kind="primary",
            small=True,
            title=f"Pay {number} by card or PayPal",
            busy=BillsState.paying_id == bill["id"],
            disabled=BillsState.paying_id != 0,
            on_click=BillsState.pay(bill["id"]),
        ),
    )


def lines() -> rx.Component:
    """What the shown bill bills."""
    return rx.cond(
        State.shown != "",
        rx.el.section(
            rx.el.h2("Services of bill " + State.shown, custom_attrs={"aria-live": "polite"}),
            table(
                "Services",
                LINES,
                State.lines,
                _line,
                row_key=lambda line: line["position"],
                empty=empty_state("receipt-text", "No lines", "A credit note has no services of its own."),
            ),
            rx.el.p("Amounts of lines are before tax.", class_name="small muted"),
            class_name="stack",
            aria_label="Services",
        ),
    )


def _line(line: rx.Var[LineWords]) -> list[Any]:
    return [
        rx.el.span(line["service"], class_name="cut", title=line["service"]),
        line["period"],
        line["quantity"],
        line["price"],
        line["amount"],
        button("Why this line?", kind="ghost", small=True, on_click=State.ask_why(line["position"])),
    ]


def why_dialog() -> rx.Component:
    """The reckoning of a line."""
    return dialog(
        State.why != "",
        "Why this line?",
        rx.el.p(State.why, class_name="strong"),
        rx.el.dl(rx.foreach(State.reasons, _reason), class_name="reasons"),
        rx.cond(
            State.tasks.length() > 0,
            table(
                "Backup tasks",
                (Column("Backup task", "name"), Column("Entities", "number"), Column("Size", "number")),
                State.tasks,
                _task,
            ),
        ),
        id="why-dialog",
        on_close=State.close,
        wide=True,
    )


def _reason(reason: rx.Var[Reason]) -> rx.Component:
    return rx.el.div(rx.el.dt(reason["label"]), rx.el.dd(reason["text"]))


def _task(task: rx.Var[TaskShare]) -> list[Any]:
    return [rx.el.span(task["name"], class_name="cut", title=task["name"]), task["entities"], task["size"]]


def dialogs() -> rx.Component:
    """Asks before the subscription is changed."""
    annual = rx.match(State.other_plan, ("annual", "Change to Annual"), "Change to Monthly")
    return rx.fragment(
        _ask("change", annual, "The new plan begins on ", ", when what is billed ends. Until then nothing changes."),
        _ask("cancel", "Cancel Subscription", "The subscription ends on ", CANCELLED, danger=True),
        _ask("undo", "Undo the change", "What was to change on ", " is taken back: the subscription goes on as it is."),
        _cap_dialog(),
    )


CANCELLED = (
    ". After that the account can be subscribed again for seven days; then its backups are deleted. "
    "Bills that are open stay open."
)


def _ask(act: str, title: rx.Var[str] | str, before: str, after: str, *, danger: bool = False) -> rx.Component:
    return confirm(
        State.asking == act,
        title,
        before + State.effect + after,
        rx.el.p(State.ask_error, class_name="field-error", custom_attrs={"role": "alert"}),
        id=f"{act}-dialog",
        act={"change": "Change the plan", "cancel": "Cancel the subscription", "undo": "Undo"}[act],
        on_confirm=State.act,
        on_close=State.close,
        busy=State.busy,
        danger=danger,
    )


def _cap_dialog() -> rx.Component:
    form = rx.el.form(
        text_input(
            "Seats",
            "seat_cap",
            error=State.ask_error,
            hint="You are warned by mail, and here, when the account has more. Empty for no cap.",
            default_value=State.seat_cap,
            input_mode="numeric",
            auto_complete="off",
            custom_attrs=autofocus_attrs(),
        ),
        id="seat-cap-form",
        on_submit=State.save_cap,
        method="post",
        no_validate=True,
    )
    return dialog(
        State.asking == "cap",
        "Seat Cap",
        form,
        id="cap-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Save", kind="primary", type="submit", busy=State.busy, custom_attrs={"form": "seat-cap-form"}),
        ),
        on_close=State.close,
    )
