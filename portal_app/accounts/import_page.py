"""`/accounts/import`."""

import json
from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar, ObjectVar

from portal_app.accounts.import_csv import EMAIL, MOST_ROWS, NAME, PLACE, SUBSCRIPTION, SUBSCRIPTIONS
from portal_app.accounts.import_rows import SHOWN_FAULTS, FaultLine, SampleLine, Tally
from portal_app.accounts.import_service import MOST_BYTES, TOO_LARGE
from portal_app.accounts.import_state import ImportAccountsState as State
from portal_app.shell.forms import native_form
from portal_app.shell.layout import portal_page
from portal_app.ui import (
    Column,
    button,
    callout,
    cut,
    empty_state,
    link,
    link_button,
    progress,
    table,
    text_input,
)

# The browser says it before it sends the file; the server says it all the same.
CHECK_SIZE = f"""(e) => {{
  const file = e.target.files[0];
  e.target.setCustomValidity(file && file.size > {MOST_BYTES} ? {json.dumps(TOO_LARGE)} : "");
  e.target.reportValidity();
}}"""
# The result takes the place of the button that had the focus; whoever is elsewhere on the page is left alone.
TAKE_FOCUS = "(() => document.activeElement === document.body && document.getElementById('import-result')?.focus())"


@portal_page("/accounts/import", "Import Accounts", load=State.load, help_topic="import-accounts")
def import_accounts() -> rx.Component:
    """A file of many accounts: uploaded, checked whole, imported whole."""
    return rx.fragment(
        rx.el.div(
            rx.el.h1("Import Accounts"),
            rx.el.div(
                link_button("Import from an existing portal", href="/accounts/import/portal"), class_name="page-actions"
            ),
            class_name="page-head",
        ),
        callout("red", State.problem),
        callout("green", State.notice),
        rx.match(
            State.phase,
            ("upload", _upload()),
            ("checking", _working()),
            ("saving", _working()),
            ("faults", _faults()),
            ("ready", _ready()),
            ("done", _done()),
            ("missing", _missing()),
            ("stopped", _again()),
            _loading(),
        ),
    )


def _loading() -> rx.Component:
    bars = (rx.el.span(class_name="skeleton") for _ in range(6))
    return rx.el.div(*bars, class_name="card stack form", aria_busy="true")


def _upload() -> rx.Component:
    return rx.el.div(
        rx.cond(State.left_job != "", _left()),
        _template(),
        _file_form(),
        class_name="form",
    )


def _left() -> rx.Component:
    words = "You uploaded " + State.left_file + " and did not import it."
    return callout("grey", words, link("Go on with it", href="/accounts/import?job=" + State.left_job), live=False)


def _template() -> rx.Component:
    return rx.el.section(
        rx.el.h2("1. Fill in the template"),
        rx.el.p("One row for each account. Save it as CSV; commas, semicolons and tabs all do."),
        rx.el.dl(
            _fact(NAME, "The customer's name."),
            _fact(EMAIL, "Unique for each customer, in the whole portal."),
            _fact(
                PLACE,
                "Optional. Empty means ",
                State.default_place,
                ". Choose from ",
                State.place_names.join(", "),
                ".",
            ),
            _fact(
                SUBSCRIPTION,
                "Optional. Empty means ",
                State.default_subscription,
                f". Choose from {', '.join(SUBSCRIPTIONS)}.",
            ),
            class_name="facts",
        ),
        rx.el.div(
            link_button("Download template", href="/accounts/import/template.csv", download=True, icon="download"),
            class_name="row",
        ),
        class_name="card stack",
    )


def _fact(term: str, *told: Any) -> rx.Component:
    return rx.el.div(rx.el.dt(term), rx.el.dd(*told))


def _file_form() -> rx.Component:
    return native_form(
        rx.el.section(
            rx.el.h2("2. Upload the file"),
            rx.el.p("The file is checked first. You see what it would add, and nothing is saved until you import it."),
            text_input(
                "CSV file",
                "file",
                type="file",
                accept=".csv,.txt,.tsv,text/csv,text/plain",
                hint=f"Up to {MOST_ROWS:,} accounts and 10 MB.",
                required=True,
                # Not on_change: that hands over the field's value, and the size is in its files.
                custom_attrs={"required": True, "onChange": FunctionStringVar.create(CHECK_SIZE)},
            ),
            rx.el.p(
                "Imported accounts have no user yet. Invite the customer's people from the account's page later.",
                class_name="muted",
            ),
            class_name="card stack",
        ),
        rx.el.div(
            link_button("Cancel", href="/accounts/new"),
            button("Check file", kind="primary", type="submit"),
            class_name="form-actions",
        ),
        action="/accounts/import",
        custom_attrs={"encType": "multipart/form-data"},
        class_name="form",
    )


def _working() -> rx.Component:
    return rx.el.section(
        progress(State.work, State.percent, id="import-progress"),
        rx.el.p(
            rx.cond(
                State.phase == "saving",
                "You may leave this page: the import goes on, and is saved whole or not at all.",
                State.file_name,
            ),
            class_name="muted",
        ),
        rx.cond(State.phase == "checking", rx.el.div(_cancel(), class_name="row")),
        class_name="card stack form",
        aria_label="Progress",
    )


def _cancel() -> rx.Component:
    return button("Cancel", on_click=State.cancel)


def _result(words: Any, *children: Any) -> rx.Component:
    """A part of the page that stands where the progress was; announced, and focused if nothing else is."""
    return rx.el.section(
        rx.el.div(rx.el.h2(words, id="import-result", tab_index=-1), custom_attrs={"role": "status"}),
        *children,
        rx.el.span(hidden=True, on_mount=FunctionStringVar.create(TAKE_FOCUS)),
        class_name="stack",
        aria_labelledby="import-result",
    )


def _faults() -> rx.Component:
    columns = [
        Column("Row", "short"),
        Column("Column", "status"),
        Column("Value", "text", width="26%"),
        Column("What to do", "name", width="100%"),
    ]
    return _result(
        State.fault_count,
        rx.el.p(
            "Nothing was imported. Mend the file and upload it again.",
            rx.cond(State.faults_left, f" The first {SHOWN_FAULTS} faults are listed.", ""),
        ),
        rx.el.div(
            link_button("Upload another file", href="/accounts/import", kind="primary"),
            link_button(
                "Download all faults",
                href="/accounts/import/faults.csv?job=" + State.job,
                download=True,
                icon="download",
            ),
            _cancel(),
            class_name="row",
        ),
        table("Faults", columns, State.faults, _fault_cells, row_key=lambda line: line["key"]),
    )


def _fault_cells(line: ObjectVar[FaultLine]) -> list[Any]:
    column = rx.el.span(line["column"], class_name="nowrap")
    value = rx.cond(line["value"], cut(line["value"]), rx.el.span(class_name="nothing"))
    return [line["row"], column, value, line["text"]]


def _ready() -> rx.Component:
    return _result(
        State.accounts + " can be imported",
        rx.el.p("No fault was found in ", rx.el.strong(State.file_name), "."),
        callout("orange", State.encoding_note, live=False),
        rx.el.div(
            _tally("Data centers", State.places),
            _tally("Subscriptions", State.subscriptions, "Monthly and Annual begin when you import."),
            class_name="grid-2",
        ),
        rx.el.h3("The first of them"),
        table("The first accounts", _SAMPLE, State.sample, _sample_cells, row_key=lambda line: line["row"]),
        rx.el.p("Imported accounts have no user yet. Invite the customer's people later.", class_name="muted"),
        rx.el.div(
            button("Import " + State.accounts, kind="primary", on_click=State.save),
            _cancel(),
            class_name="form-actions",
        ),
    )


_SAMPLE = [
    Column(NAME, "name"),
    Column(EMAIL, "text", width="28%"),
    Column(PLACE, "text"),
    Column(SUBSCRIPTION, "status"),
]


def _sample_cells(line: ObjectVar[SampleLine]) -> list[Any]:
    return [cut(line["name"]), cut(line["email"]), cut(line["place"]), line["subscription"]]


def _tally(title: str, tallies: rx.Var[list[Tally]], hint: str = "") -> rx.Component:
    return rx.el.section(
        rx.el.h3(title),
        rx.el.dl(rx.foreach(tallies, _tally_line), class_name="stack-s"),
        *([rx.el.p(hint, class_name="muted small")] if hint else []),
        class_name="card stack-s",
    )


def _tally_line(tally: ObjectVar[Tally]) -> rx.Component:
    count = rx.el.dd(tally["count"], class_name="num")
    return rx.el.div(rx.el.dt(tally["label"]), count, class_name="row row-between")


def _done() -> rx.Component:
    return _result(
        "What comes next",
        rx.el.p("The accounts have no user yet. Invite the customer's people from each account's page."),
        rx.el.div(
            link_button("Go to the dashboard", href="/", kind="primary"),
            link_button("Import another file", href="/accounts/import"),
            class_name="row",
        ),
    )


def _missing() -> rx.Component:
    return empty_state(
        "file-x",
        "There is no such import",
        "An uploaded file is kept for a day, and only your last one. Upload it again.",
        link_button("Upload a file", href="/accounts/import", kind="primary"),
    )


def _again() -> rx.Component:
    return rx.el.div(
        link_button("Check again", href="/accounts/import?job=" + State.job, kind="primary"),
        _cancel(),
        class_name="row",
    )
