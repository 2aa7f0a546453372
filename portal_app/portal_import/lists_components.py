"""What an import found: accounts, values that could not be read, bills."""

from typing import Any

import reflex as rx
from reflex.vars import ObjectVar

from portal_app.portal_import.rows import AccountLine, BillLine, ValueLine
from portal_app.portal_import.state import PATH
from portal_app.portal_import.state import ImportPortalState as State
from portal_app.ui import Column, badge, cut, empty_state, link, short_pager, table


def lists() -> rx.Component:
    """The list that is shown, below the tabs of all."""
    return rx.el.section(
        rx.el.nav(
            rx.el.ul(
                _tab("accounts", "Accounts", State.account_count),
                _tab("values", "Values that could not be read", State.value_count),
                rx.cond(State.sees_bills, _tab("bills", "Imported bills", State.bill_count)),
                class_name="tabs",
            ),
            aria_label="Lists",
        ),
        rx.match(State.shown, ("values", _values()), ("bills", _bills()), _accounts()),
        class_name="stack",
        aria_label="Details",
    )


def _tab(name: str, words: str, count: rx.Var[int]) -> rx.Component:
    href = PATH + "?import=" + State.import_id + "&list=" + name
    here = rx.cond(State.shown == name, "true", "false")
    return rx.el.li(link(f"{words} ({count})", href=href, load=State.answer, aria_current=here))


def _pages() -> rx.Component:
    return short_pager(State.page, State.pages, before=State.before, after=State.after, load=State.answer)


def _accounts() -> rx.Component:
    columns = [
        Column("Account", "name", width="22%"),
        Column("There", "status"),
        Column("Here", "status"),
        Column("What happens", "text", width="34%"),
        Column("Tasks", "number", wide_only=True),
        Column("States", "number", wide_only=True),
        Column("Bills", "number", wide_only=True),
        Column("Size", "number"),
    ]
    return table(
        "Accounts",
        columns,
        State.accounts,
        _account_cells,
        row_key=lambda line: line["id"],
        empty=empty_state("users", "No accounts", "The portal told of none."),
        foot=_pages(),
    )


def _account_cells(line: ObjectVar[AccountLine]) -> list[Any]:
    name = rx.el.div(cut(line["name"]), rx.el.span(line["email"], class_name="muted small cut", title=line["email"]))
    return [
        name,
        line["status"],
        badge(line["look"], line["action"]),
        rx.el.span(line["what"]),
        line["tasks"],
        line["states"],
        line["bills"],
        line["size"],
    ]


def _values() -> rx.Component:
    columns = [
        Column("Object", "name", width="26%"),
        Column("Field", "short"),
        Column("Value", "text", width="22%"),
        Column("What was done", "text", width="40%"),
    ]
    nothing = empty_state("check", "Everything could be read", "No value of the portal was left out.")
    return table(
        "Values that could not be read",
        columns,
        State.values,
        _value_cells,
        row_key=lambda line: line["id"],
        empty=nothing,
        foot=_pages(),
    )


def _value_cells(line: ObjectVar[ValueLine]) -> list[Any]:
    return [cut(line["object"]), line["field"], cut(line["value"]), rx.el.span(line["text"])]


def _bills() -> rx.Component:
    columns = [
        Column("Account", "name", width="34%"),
        Column("Period", "short"),
        Column("Paid by", "short"),
        Column("Status", "status"),
        Column("Total", "number"),
    ]
    nothing = empty_state("file-x", "No bills yet", "Old bills of the portal stand here once they are imported.")
    return table(
        "Imported bills",
        columns,
        State.bills,
        _bill_cells,
        row_key=lambda line: line["id"],
        empty=nothing,
        foot=_pages(),
    )


def _bill_cells(line: ObjectVar[BillLine]) -> list[Any]:
    return [cut(line["name"]), line["period"], line["payment"], badge("grey", "Imported"), line["total"]]
