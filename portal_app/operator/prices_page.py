"""`/operator/prices`: price books, one of them, and a new one."""

from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar

from portal_app.operator.prices_state import PATH, BookLine, BooksState, BookState, PriceLine
from portal_app.operator.prices_state import NewBookState as State
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    badge,
    button,
    callout,
    confirm,
    cut,
    empty_state,
    fault_in,
    focus_first_fault,
    link_button,
    option,
    row_link,
    select,
    table,
    text_area,
    text_input,
)

BOOKS = (
    Column("Name", "name"),
    Column("Currency", "short"),
    Column("For", "short"),
    Column("Valid from", "date"),
    Column("Services", "number", on_card=False),
    Column("Tax", "number", on_card=False),
    Column("State", "status"),
)
PRICES = (Column("Service", "name"), Column("Price for", "short"), Column("Price", "text"))
BASES = [option("unit", "each unit"), option("gb", "each GB")]
# The file's text goes into the field beside it, where it can be read over and mended.
READ_FILE = FunctionStringVar.create(
    "((e) => e.target.files[0]?.text().then((text) => { document.getElementById('field-csv').value = text; }))"
)


@operator_page(PATH, "Price Books", load=BooksState.load, help_topic="price-books")
def price_books() -> rx.Component:
    """All price books."""
    return rx.fragment(
        rx.el.div(link_button("+ Add price book", href=f"{PATH}/new", kind="primary"), class_name="row row-end"),
        table(
            "Price Books",
            BOOKS,
            BooksState.lines,
            _book_cells,
            linked=True,
            row_key=lambda line: line["id"],
            loading=BooksState.loading,
            reserve=4,
            empty=empty_state(
                "tags",
                "No prices yet",
                "Without a price book of its currency a partner is not billed.",
                link_button("+ Add price book", href=f"{PATH}/new", kind="primary"),
            ),
        ),
    )


def _book_cells(line: rx.Var[BookLine]) -> list[Any]:
    return [
        row_link(line["name"], f"{PATH}/" + line["id"].to_string()),
        line["currency"],
        line["whose"],
        line["since"],
        line["services"],
        line["tax"],
        rx.cond(line["holds"], badge("green", "Holds today"), badge("grey", "Not today")),
    ]


@operator_page(f"{PATH}/[book_id]", "Price Book", load=BookState.load, help_topic="price-books")
def price_book() -> rx.Component:
    """One book."""
    gone = empty_state(
        "tags", "There is no such price book", "It may have been deleted.", link_button("Show all", href=PATH)
    )
    return rx.cond(BookState.missing, gone, rx.cond(BookState.ready, _book(), _waiting()))


def _waiting() -> rx.Component:
    bars = (rx.el.span(class_name="skeleton") for _ in range(5))
    return rx.el.div(*bars, class_name="card stack", aria_busy="true")


def _book() -> rx.Component:
    one = BookState
    facts = (
        ("Name", one.name),
        ("For", one.whose),
        ("Currency", one.currency),
        ("Valid from", one.since),
        ("Monthly minimum", one.minimum),
        ("Annual discount", one.discount),
        ("Tax", one.tax),
    )
    return rx.el.div(
        rx.el.dl(*(rx.el.div(rx.el.dt(label), rx.el.dd(value)) for label, value in facts), class_name="facts card"),
        rx.el.div(
            link_button("New from this one", href=f"{PATH}/new?from=" + one.book_id.to_string(), icon="copy"),
            button("Download CSV", icon="download", on_click=one.download),
            button("Delete", icon="bin", on_click=one.ask),
            class_name="row",
        ),
        table(
            "Prices of a month",
            PRICES,
            one.prices,
            lambda line: [cut(line["label"]), rx.cond(line["basis"] == "gb", "GB", "unit"), line["tiers"]],
            row_key=lambda line: line["service"],
        ),
        rx.el.p("“2.50; 100: 2.20” is 2.50 each, and 2.20 for each of those above 100.", class_name="muted"),
        confirm(
            one.asking,
            "Delete this price book?",
            "Bills keep the prices they were made with. A partner's own prices end with it.",
            rx.el.p(one.ask_error, class_name="field-error", custom_attrs={"role": "alert"}),
            id="delete-book",
            act="Delete",
            on_confirm=one.remove,
            on_close=one.close,
            busy=one.busy,
            danger=True,
        ),
        class_name="stack",
    )


@operator_page(f"{PATH}/new", "Add price book", load=State.load, help_topic="price-books")
def new_price_book() -> rx.Component:
    """The form of a new book, and the CSV that fills it."""
    return rx.cond(State.ready, rx.el.div(_form(), _csv(), class_name="stack"), _waiting())


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", State.error),
        focus_first_fault(State.errors.length() > 0),
        rx.el.section(
            rx.el.h2("Price book"),
            text_input("Name", "name", default_value=State.name, error=_fault("name"), auto_complete="off"),
            select(
                "Currency",
                "currency",
                State.all_currencies,
                value=State.currency,
                on_change=State.choose_currency,
                error=_fault("currency"),
            ),
            text_input(
                "Partner ID",
                "partner",
                default_value=State.partner,
                error=_fault("partner"),
                hint="Empty: for everybody with this currency.",
                auto_complete="off",
            ),
            text_input(
                "Valid from", "valid_from", type="date", default_value=State.valid_from, error=_fault("valid_from")
            ),
            text_input("Monthly minimum per account", "minimum", default_value=State.minimum, error=_fault("minimum")),
            text_input("Annual discount in %", "discount", default_value=State.discount, error=_fault("discount")),
            text_input("Tax in %", "tax", default_value=State.tax, error=_fault("tax")),
            class_name="card stack",
            aria_label="Price book",
        ),
        rx.el.section(
            rx.el.h2("Prices of a month"),
            rx.el.p(
                "2.50 is a price for each. “2.50; 100: 2.20” is 2.50 each, and 2.20 for each of those above 100. "
                "A service without a price costs nothing.",
                class_name="field-hint",
            ),
            callout("green", State.filled),
            rx.cond(State.lines_ready, rx.el.div(rx.foreach(State.lines, _price), class_name="stack")),
            class_name="card stack",
            aria_label="Prices of a month",
        ),
        rx.el.div(
            button("Add price book", kind="primary", type="submit", busy=State.busy),
            link_button("Cancel", href=PATH),
            class_name="form-actions",
        ),
        on_submit=State.save,
        method="post",
        no_validate=True,
        auto_complete="off",
        class_name="form",
    )


def _price(line: rx.Var[PriceLine]) -> rx.Component:
    key = line["service"].to(str)
    fault = _fault(key)
    ident = "price-" + key
    return rx.el.div(
        rx.el.label(line["label"], html_for=ident),
        rx.el.div(
            rx.el.input(
                id=ident,
                name=ident,
                default_value=line["tiers"],
                auto_complete="off",
                aria_describedby=ident + "-error",
                aria_invalid=rx.cond(fault, "true", "false"),
                class_name="control grow",
            ),
            rx.el.select(
                *(rx.el.option(one["label"], value=one["value"]) for one in BASES),
                name="basis-" + key,
                default_value=line["basis"],
                aria_label=f"{line['label']} is priced for",
                class_name="control price-basis",
            ),
            class_name="row",
        ),
        rx.el.p(fault, id=ident + "-error", class_name="field-error", aria_live="polite"),
        key=key,
        class_name="field",
    )


def _csv() -> rx.Component:
    return rx.el.form(
        rx.el.section(
            rx.el.h2("Fill in from a CSV"),
            rx.el.p(
                "The columns are Service, Price for (unit or GB), Above (0 for the first price) and Price; one row for "
                "each tier. Any book's CSV can serve as the template.",
                class_name="field-hint",
            ),
            rx.el.div(
                rx.el.label("CSV file", html_for="csv-file"),
                rx.el.input(
                    type="file",
                    id="csv-file",
                    accept=".csv,text/csv",
                    class_name="control",
                    custom_attrs={"onChange": READ_FILE},
                ),
                class_name="field",
            ),
            text_area("Rows of the CSV", "csv", error=State.csv_error, rows=6, spell_check=False),
            rx.el.div(button("Fill in", type="submit"), class_name="form-actions"),
            class_name="card stack",
            aria_label="Fill in from a CSV",
        ),
        on_submit=State.fill,
        method="post",
        no_validate=True,
        class_name="form",
    )


def _fault(name: str | rx.Var[str]) -> rx.Var[str]:
    return fault_in(State.errors, name)
