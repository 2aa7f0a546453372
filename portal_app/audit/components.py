"""The parts of the audit pages: `state` is an `audit.state.AuditList`, `path` the page's own address."""

from typing import Any

import reflex as rx

from portal_app.audit.query import COMPLETED, FAILED, OPERATOR_PATH
from portal_app.audit.rows import Line
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
    list_head,
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


def export_button(state: Any, path: str) -> rx.Component:
    """Downloads all that the filters find; the browser itself shows how far it is."""
    fields = ({"partner": state.partner} if path == OPERATOR_PATH else {}) | {
        "from": state.since,
        "to": state.until,
        "activity": state.activity,
        "status": state.status,
        "account": state.account,
        "user": state.user,
    }
    hidden = [rx.el.input(type="hidden", name=name, value=value, read_only=True) for name, value in fields.items()]
    # A form, not a link: a link would be fetched by whatever looks at it first.
    return NativeForm.create(
        *hidden, button("Export", icon="download", type="submit"), action=f"{path}/export.csv", method="get"
    )


def audit_table(state: Any, path: str) -> rx.Component:
    """Filters, chips, table and steps."""
    return rx.el.section(
        _filters(state, path),
        list_head(rx.cond(state.loading, "Events", state.count), _chips(state, path)),
        rx.cond(state.note != "", rx.el.p(state.note, class_name="muted", custom_attrs={"role": "status"})),
        table(
            "Security audit",
            COLUMNS,
            state.lines,
            _cells,
            row_key=lambda line: line["number"],
            loading=state.loading,
            empty=_empty(state, path),
            foot=steps(
                state.size,
                on_size=lambda size: _ask(state, path, "size", size),
                previous=state.newer,
                next=state.older,
                load=state.answer,
            ),
        ),
        class_name="stack",
        aria_label="Events",
    )


def _filters(state: Any, path: str) -> rx.Component:
    def ask(name: str) -> Any:
        return lambda value: _ask(state, path, name, value)

    whose = []
    if path == OPERATOR_PATH:
        whose = [
            short_field(
                "Partner",
                "partner",
                value=state.partner,
                on_change=ask("partner"),
                type="search",
                placeholder="Partner ID",
            )
        ]
    activities = [option("", "Activity: all"), *(option(one.value) for one in sorted(Activity))]
    statuses = [option("", "Status: all"), *(option(key, words) for key, words in STATUS.items())]
    return rx.el.div(
        *whose,
        short_field("From", "from", value=state.since, on_change=ask("from"), type="date"),
        short_field("To", "to", value=state.until, on_change=ask("to"), type="date"),
        bare_select("Activity", "activity", activities, value=state.activity, on_change=ask("activity")),
        bare_select("Status", "status", statuses, value=state.status, on_change=ask("status")),
        short_field(
            "Account",
            "account",
            value=state.account,
            on_change=ask("account"),
            type="search",
            placeholder="Name or email",
        ),
        short_field(
            "User",
            "user",
            value=state.user,
            on_change=ask("user"),
            type="search",
            placeholder="Email",
            choices=state.people,
        ),
        class_name="tools",
    )


def _ask(state: Any, path: str, name: str, value: rx.Var[str] | str = "") -> list[Any]:
    """From the newest row on."""
    return ask_for(state.answer, name, value, without=["before", "after"], path=path)


def _chips(state: Any, path: str) -> rx.Component:
    status = rx.match(state.status, *STATUS.items(), "")
    whose = (("partner", state.partner, "Partner: "),) if path == OPERATOR_PATH else ()
    chips = (
        *whose,
        ("from", state.since, "From "),
        ("to", state.until, "To "),
        ("activity", state.activity, "Activity: "),
        ("status", state.status, "Status: "),
        ("account", state.account, "Account: "),
        ("user", state.user, "User: "),
    )
    return rx.cond(
        state.filtered,
        rx.el.div(
            *(
                rx.cond(
                    value != "",
                    filter_chip(label + (status.to(str) if name == "status" else value), _ask(state, path, name)),
                )
                for name, value, label in chips
            ),
            link_button("Clear all", href=path, kind="ghost", small=True),
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


def _empty(state: Any, path: str) -> rx.Component:
    return rx.cond(
        state.filtered,
        empty_state(
            "search-x",
            "Nothing matches",
            "No event has all that the filters ask for.",
            link_button("Show all events", href=path),
        ),
        empty_state(
            "shield-check",
            "Nothing was recorded yet",
            "Who signs in, opens an account or changes anything is written down here, and stays.",
            link_button("Go to the start page", href="/"),
        ),
    )
