"""The parts of User Management's list."""

from typing import Any

import reflex as rx

from portal_app.ui import (
    Column,
    MenuItem,
    Sort,
    ask,
    badge,
    bare_select,
    confirm,
    cut,
    empty_state,
    filter_chip,
    link,
    link_button,
    menu,
    option,
    pager,
    search_input,
    table,
)
from portal_app.ui.base import icon, visually_hidden
from portal_app.users.query import PATH
from portal_app.users.rows import ROLES, STATES, TYPES
from portal_app.users.state import Line
from portal_app.users.state import UsersState as State

ASK = """(name, value) => {
  const asked = new URLSearchParams(location.search);
  asked.delete("page");
  if (value) asked.set(name, value); else asked.delete(name);
  return location.pathname + (asked.size ? "?" + asked : "");
}"""
STATE_WORDS = {key: words for key, (words, _) in STATES.items()}
FILTERS = (
    ("Type", "type", State.type, TYPES),
    ("Role", "role", State.role, ROLES),
    ("State", "state", State.state, STATE_WORDS),
)
COLUMNS = (
    Column("Email", "name", sort="email"),
    Column("Type", "short", sort="type", on_card=False),
    Column("2FA Authentication", "short", sort="two_factor"),
    Column("Role", "short", sort="role"),
    Column("Last sign-in", "date", sort="last", on_card=False),
    Column("State", "status", sort="state"),
    Column("Actions", "action"),
)


def users_table() -> rx.Component:
    """Toolbar, chips, table and pager."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(rx.cond(State.loading, "Users", State.count), custom_attrs={"aria-live": "polite"}),
            rx.el.div(
                search_input(
                    "Search",
                    value=State.search,
                    on_change=lambda words: _ask("search", words),
                    on_clear=_ask("search"),
                    placeholder="Name or email",
                ),
                *(_filter(*one) for one in FILTERS),
                link_button("+ Add new user", href=f"{PATH}/new", kind="primary"),
                class_name="toolbar-tools",
            ),
            class_name="toolbar",
        ),
        _chips(),
        _table(),
        class_name="stack",
        aria_label="Users",
    )


def act_dialog() -> rx.Component:
    """Asks before a user is disabled, enabled or deleted."""
    return rx.fragment(
        _dialog("disable", "Disable this user?", "Disable", " is signed out at once and can't sign in any more.", True),
        _dialog("enable", "Enable this user?", "Enable", " can sign in again, with the same rights as before.", False),
        _dialog("delete", "Delete this user?", "Delete", " loses all access at once. The audit keeps the name.", True),
    )


def _dialog(act: str, title: str, label: str, what: str, danger: bool) -> rx.Component:
    return confirm(
        State.asking == act,
        title,
        State.asked_email + what,
        rx.el.p(State.ask_error, class_name="field-error", custom_attrs={"role": "alert"}),
        id=f"{act}-dialog",
        act=label,
        on_confirm=State.act,
        on_close=State.close,
        busy=State.busy,
        danger=danger,
    )


def _ask(name: str, value: rx.Var[str] | str = "") -> list[Any]:
    """Go to the address as it stands in the browser, with one value changed, on the first page."""
    href = rx.Var(f"({ASK})({name!r}, {rx.Var.create(value)!s})").to(str)
    return ask(href, State.answer, replace=True)


def _filter(label: str, name: str, value: rx.Var[str], words: dict[str, str]) -> rx.Component:
    options = [option("", f"{label}: all"), *(option(key, text) for key, text in words.items())]
    return bare_select(label, f"filter-{name}", options, value=value, on_change=lambda chosen: _ask(name, chosen))


def _chips() -> rx.Component:
    return rx.cond(
        State.filtered,
        rx.el.div(
            rx.cond(State.search != "", filter_chip("Search: " + State.search, _ask("search"))),
            *(rx.cond(value != "", _chip(label, name, value, words)) for label, name, value, words in FILTERS),
            link_button("Clear all", href=PATH, load=State.answer, kind="ghost", small=True),
            class_name="chips",
        ),
    )


def _chip(label: str, name: str, value: rx.Var[str], words: dict[str, str]) -> rx.Component:
    text = rx.match(value, *words.items(), "")
    return filter_chip(f"{label}: " + text.to(str), _ask(name))


def _table() -> rx.Component:
    return table(
        "Users",
        COLUMNS,
        State.lines,
        _cells,
        row_key=lambda line: line["id"],
        sort=Sort(State.sort, State.descending, href=lambda key: State.sort_hrefs[key], load=State.answer),
        loading=State.loading,
        reserve=5,
        empty=empty_state(
            "search-x",
            "No user matches",
            "Nobody has all that the search and the filters ask for.",
            link_button("Show all users", href=PATH, load=State.answer),
        ),
        foot=pager(
            State.page,
            State.pages,
            State.size,
            on_size=lambda size: _ask("size", size),
            previous=State.previous_href,
            next=State.next_href,
            by_link=True,
            load=State.answer,
        ),
    )


def _cells(line: rx.Var[Line]) -> list[Any]:
    return [
        rx.el.div(
            cut(line["email"]),
            rx.el.span(line["name"], class_name="cut muted", title=line["name"]),
            class_name="two-lines",
        ),
        line["type"],
        badge(line["two_factor_kind"], line["two_factor"]),
        line["role"],
        rx.el.span(line["last"]["text"], title=line["last"]["exact"]),
        badge(line["state_kind"], line["state"]),
        rx.el.div(_pencil(line), rx.cond(line["own"], rx.fragment(), _menu(line)), class_name="row-buttons"),
    ]


def _pencil(line: rx.Var[Line]) -> rx.Component:
    label = "Edit " + line["email"].to(str)
    return link(
        icon("pencil"),
        visually_hidden(label),
        href=f"{PATH}/" + line["id"].to_string(),
        title=label,
        class_name="icon-button",
    )


def _menu(line: rx.Var[Line]) -> rx.Component:
    """What can be done with the user; what can't is not there."""
    number, ident = line["id"], "user-menu-" + line["id"].to_string()
    return menu(
        "More actions for " + line["email"].to(str),
        MenuItem("Resend Email Confirmation", on_click=State.resend(number), icon="mail", shown=line["invited"]),
        MenuItem("Disable", on_click=State.ask("disable", number), icon="user-x", shown=line["active"]),
        MenuItem("Enable", on_click=State.ask("enable", number), icon="user-check", shown=line["disabled"]),
        MenuItem("Delete", on_click=State.ask("delete", number), icon="trash-2", danger=True),
        id=ident,
        at_end=True,
        icon_only="ellipsis-vertical",
    )
