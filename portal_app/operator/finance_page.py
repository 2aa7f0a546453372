"""`/operator/partners/[code]/billing`: how a partner is billed."""

from typing import Any

import reflex as rx

from portal_app.billing.words import METHODS
from portal_app.operator.bill_state import BILLS
from portal_app.operator.finance_state import BillLine, SubscriptionLine
from portal_app.operator.finance_state import PartnerFinanceState as State
from portal_app.operator.partner_components import partner_page
from portal_app.ui import (
    Column,
    ask_for,
    badge,
    button,
    callout,
    confirm,
    cut,
    empty_state,
    row_link,
    search_input,
    short_pager,
    switch,
    table,
)

BILLS_COLUMNS = (
    Column("Reference Number", "name"),
    Column("Account Name", "text"),
    Column("Status", "status"),
    Column("Issue Date", "date", on_card=False),
    Column("Due Date", "date", on_card=False),
    Column("Total Amount", "number"),
    Column("Open", "number"),
)
ACCOUNT_COLUMNS = (
    Column("Account Name", "name"),
    Column("Email", "text", on_card=False, wide_only=True),
    Column("Subscription", "short"),
    Column("Billed until", "date", on_card=False),
    Column("Billing", "status"),
    Column("Change", "action", width="190px"),
)


@partner_page("/billing", load=State.load, help_topic="operator-partner")
def partner_finance() -> rx.Component:
    """One partner."""
    bars = (rx.el.span(class_name="skeleton") for _ in range(5))
    waiting = rx.el.div(*bars, class_name="card stack", aria_busy="true")
    return rx.fragment(
        rx.cond(State.ready, _partner(), waiting),
        rx.window_event_listener(on_popstate=State.answer),
    )


def _partner() -> rx.Component:
    return rx.el.div(_terms(), _bills(), _accounts(), _method_dialog(), class_name="stack-l")


def _terms() -> rx.Component:
    words = {str(method): text for method, text in METHODS.items()}
    facts = (
        ("Partner ID", State.code),
        ("Currency", State.currency),
        ("Billing method", rx.cond(State.method == "", "Not chosen yet", rx.Var.create(words)[State.method])),
        ("Payment Day", State.payment_day),
        ("Billed through", State.billed_through),
        ("Price book", rx.cond(State.book == "", "None", State.book)),
    )
    return rx.el.section(
        rx.el.h2("Terms"),
        rx.el.dl(*(rx.el.div(rx.el.dt(label), rx.el.dd(value)) for label, value in facts), class_name="facts"),
        callout(
            "red",
            rx.cond(State.book == "", "No price book holds for this partner, so nothing is billed to it.", ""),
            live=False,
        ),
        rx.el.div(
            *(
                rx.cond(State.method != method, button(f"Bill by {text}", on_click=State.ask_method(method)))
                for method, text in words.items()
            ),
            class_name="row",
        ),
        switch(
            "Annual subscriptions that start on the same day share a bill",
            State.annual_together,
            id="annual-together",
            on_click=State.turn_annual,
        ),
        switch(
            "Backup Radar",
            State.radar,
            id="backup-radar",
            on_click=State.turn_radar,
            hint="On: the partner can enter the address that the results of its backups are mailed to.",
        ),
        class_name="card stack",
        aria_label="Billing of this partner",
    )


def _bills() -> rx.Component:
    return rx.el.section(
        rx.el.h2(State.bill_count),
        table(
            "Bills",
            BILLS_COLUMNS,
            State.bills,
            _bill_cells,
            linked=True,
            row_key=lambda line: line["number"],
            empty=empty_state("receipt-text", "No bill yet", "The first one comes with the first subscription."),
            foot=_steps("bills", State.page, State.pages),
        ),
        class_name="stack",
        aria_label="Bills",
    )


def _accounts() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(State.account_count, custom_attrs={"aria-live": "polite"}),
            rx.el.div(
                search_input(
                    "Search accounts",
                    value=State.search,
                    on_change=_search,
                    on_clear=_search(""),
                    placeholder="Name or email",
                    name="account-search",
                    id="account-search",
                ),
                class_name="tools",
            ),
            class_name="toolbar",
        ),
        rx.el.p(
            "A monthly account that is billed apart gets a bill of its own, on its own day of the month.",
            class_name="field-hint",
        ),
        table(
            "Subscribed accounts",
            ACCOUNT_COLUMNS,
            State.accounts,
            _account_cells,
            row_key=lambda line: line["id"],
            empty=empty_state("users", "No subscribed account", "Subscribed accounts stand here once they are billed."),
            foot=_steps("accounts", State.apage, State.apages),
        ),
        class_name="stack",
        aria_label="Consolidation",
    )


def _search(words: Any) -> list[Any]:
    return ask_for(State.answer, "search", words, without=["apage"])


def _bill_cells(line: rx.Var[BillLine]) -> list[Any]:
    return [
        row_link(line["number"], f"{BILLS}/" + line["number"]),
        cut(line["whose"]),
        badge(line["status_kind"], line["status"]),
        line["issued"],
        line["due"],
        line["total"],
        line["open"],
    ]


def _account_cells(line: rx.Var[SubscriptionLine]) -> list[Any]:
    return [
        cut(line["name"]),
        cut(line["email"]),
        line["plan"],
        line["covered"],
        rx.cond(line["excluded"], badge("orange", "Apart"), badge("grey", "Consolidated")),
        button(
            rx.cond(line["excluded"], "Consolidate", "Bill apart"),
            small=True,
            on_click=State.turn_excluded(line["id"]),
        ),
    ]


def _steps(which: str, page: rx.Var[int], pages: rx.Var[int]) -> rx.Component:
    before, after = State.hrefs[f"{which}_before"], State.hrefs[f"{which}_after"]
    return short_pager(page, pages, before=before, after=after, load=State.answer, label=f"Pages of {which}")


def _method_dialog() -> rx.Component:
    words = rx.Var.create({str(method): text for method, text in METHODS.items()})
    return confirm(
        State.asking != "",
        "Change the billing method?",
        rx.cond(State.asking == "", "", "From the next bill on: " + words[State.asking] + "."),
        rx.el.p("Bills that are there stay as they are."),
        id="method-dialog",
        act="Change billing method",
        on_confirm=State.set_method,
        on_close=State.close,
        busy=State.busy,
    )
