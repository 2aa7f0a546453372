"""The parts of the audit page."""

from typing import Any

import reflex as rx

from portal_app.audit.query import COMPLETED, FAILED, PATH
from portal_app.audit.rows import Line
from portal_app.audit.state import AuditState as State
from portal_app.audit.tags import Activity
from portal_app.shell.forms import NativeForm
from portal_app.ui import (
    Column,
    ask_for,
    badge,
    bare_select,
    button,
    cut,
    empty_state,
    filter_chip,
    link,
    link_button,
    option,
    short_field,
    steps,
    table,
)

COLUMNS = (
    Column("Date", "date"),
    Column("User Activity", "short"),
    Column("Status", "status"),
    Column("Account", "text"),
    Column("Performed By", "name"),
    Column("Description", "text", width="36%"),
)
STATUS = {COMPLETED: "Completed", FAILED: "Failed"}


def export_button() -> rx.Component:
    """Downloads all that the filters find; the browser itself shows how far it is."""
    fields = {
        "from": State.since,
        "to": State.until,
        "activity": State.activity,
        "status": State.status,
        "account": State.account,
        "user": State.user,
    }
    hidden = [rx.el.input(type="hidden", name=name, value=value, read_only=True) for name, value in fields.items()]
    # A form, not a link: a link would be fetched by whatever looks at it first.
    return NativeForm.create(
        *hidden, button("Export", icon="download", type="submit"), action=f"{PATH}/export.csv", method="get"
    )


def audit_table() -> rx.Component:
    """Filters, chips, table and steps."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(rx.cond(State.loading, "Events", State.count), custom_attrs={"aria-live": "polite"}),
            _filters(),
            class_name="toolbar toolbar-tall",
        ),
        _chips(),
        rx.cond(State.note != "", rx.el.p(State.note, class_name="muted", custom_attrs={"role": "status"})),
        table(
            "Security audit",
            COLUMNS,
            State.lines,
            _cells,
            row_key=lambda line: line["number"],
            loading=State.loading,
            empty=_empty(),
            foot=steps(
                State.size,
                on_size=lambda size: _ask("size", size),
                previous=State.newer,
                next=State.older,
                load=State.answer,
            ),
        ),
        class_name="stack",
        aria_label="Events",
    )


def _filters() -> rx.Component:
    activities = [option("", "Activity: all"), *(option(one.value) for one in sorted(Activity))]
    statuses = [option("", "Status: all"), *(option(key, words) for key, words in STATUS.items())]
    return rx.el.div(
        short_field("From", "from", value=State.since, on_change=lambda day: _ask("from", day), type="date"),
        short_field("To", "to", value=State.until, on_change=lambda day: _ask("to", day), type="date"),
        bare_select(
            "Activity", "activity", activities, value=State.activity, on_change=lambda one: _ask("activity", one)
        ),
        bare_select("Status", "status", statuses, value=State.status, on_change=lambda one: _ask("status", one)),
        short_field(
            "Account",
            "account",
            value=State.account,
            on_change=lambda words: _ask("account", words),
            type="search",
            placeholder="Name or email",
        ),
        short_field(
            "User",
            "user",
            value=State.user,
            on_change=lambda words: _ask("user", words),
            type="search",
            placeholder="Email",
            choices=State.people,
        ),
        class_name="toolbar-tools",
    )


def _ask(name: str, value: rx.Var[str] | str = "") -> list[Any]:
    """From the newest row on."""
    return ask_for(State.answer, name, value, without=["before", "after"], path=PATH)


def _chips() -> rx.Component:
    status = rx.match(State.status, *STATUS.items(), "")
    chips = (
        ("from", State.since, "From "),
        ("to", State.until, "To "),
        ("activity", State.activity, "Activity: "),
        ("status", State.status, "Status: "),
        ("account", State.account, "Account: "),
        ("user", State.user, "User: "),
    )
    return rx.cond(
        State.filtered,
        rx.el.div(
            *(
                rx.cond(
                    value != "",
                    filter_chip(label + (status.to(str) if name == "status" else value), _ask(name)),
                )
                for name, value, label in chips
            ),
            link_button("Clear all", href=PATH, kind="ghost", small=True),
            class_name="chips",
        ),
    )


def _cells(line: rx.Var[Line]) -> list[Any]:
    account = rx.cond(
        line["href"] != "",
        link(line["account"], href=line["href"], class_name="cut", title=line["account"]),
        cut(line["account"]),
    )
    status = rx.cond(line["completed"], badge("green", "Completed"), badge("red", "Failed"))
    date = rx.el.time(line["date"]["text"], title=line["date"]["exact"])
    return [date, line["activity"], status, account, cut(line["by"]), cut(line["description"])]


def _empty() -> rx.Component:
    return rx.cond(
        State.filtered,
        empty_state(
            "search-x",
            "Nothing matches",
            "No event has all that the filters ask for.",
            link_button("Show all events", href=PATH),
        ),
        empty_state(
            "shield-check",
            "Nothing was recorded yet",
            "Who signs in, opens an account or changes anything is written down here, and stays.",
            link_button("Go to the start page", href="/"),
        ),
    )
