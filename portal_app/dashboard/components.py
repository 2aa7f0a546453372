"""The parts of the dashboard."""

from typing import Any

import reflex as rx

from portal_app.accounts.rows import BACKUP, BILLING, STATUS, Named
from portal_app.dashboard import first_view
from portal_app.dashboard.rows import CLOSED, NOTHING, FigureRow, Line
from portal_app.dashboard.service import OUTCOMES
from portal_app.dashboard.state import ChartState
from portal_app.dashboard.state import DashboardState as State
from portal_app.ui import (
    Bulk,
    Column,
    Figure,
    MenuItem,
    Sort,
    Ticks,
    badge,
    bar_chart,
    bare_select,
    button,
    cut,
    empty_state,
    filter_chip,
    icon_button,
    line_chart,
    link,
    link_button,
    list_head,
    menu,
    option,
    pager,
    row_link,
    search_input,
    table,
    widget,
)

TRIAL_LABELS = {"trial_started": "In progress", "trial_expiring": "Expiring", "trial_expired": "Expired"}
BACKUP_LABELS = {key: "No backup" if key == "none" else words for key, (words, _) in BACKUP.items()}
BILLING_LABELS = {key: words for key, (words, _) in BILLING.items() if key != "none"}


def widgets() -> rx.Component:
    """The three status widgets; a figure filters the table below."""
    return rx.el.div(
        widget(
            "Trial Status",
            _figures("status", State.status_figures, State.status, TRIAL_LABELS, STATUS),
            loading=State.loading,
        ),
        widget(
            "Backup Status",
            _figures("backup", State.backup_figures, State.backup, BACKUP_LABELS, BACKUP),
            loading=State.loading,
        ),
        rx.cond(
            State.show_billing | State.loading,
            widget(
                "Billing Status",
                _figures("billing", State.billing_figures, State.billing, BILLING_LABELS, BILLING),
                loading=State.loading,
            ),
        ),
        class_name="grid-3",
    )


def _figures(
    name: str, figures: rx.Var[dict[str, FigureRow]], active: rx.Var[str], labels: dict[str, str], kinds: Named
) -> list[Figure]:
    return [
        Figure(
            label,
            kinds[key][1],
            figures[key]["count"],
            # A second click on an active figure takes the filter off again.
            rx.cond(active == key, State.hrefs[name], _href(name, key)),
            shown=figures[key]["shown"],
            amount=figures[key]["amount"],
            active=active == key,
            load=State.answer,
        )
        for key, label in labels.items()
    ]


def charts() -> rx.Component:
    """Backups per day, stored bytes, and what was billed for those who may see it."""
    loading = ChartState.loading
    return rx.el.div(
        bar_chart("Backups per day", ChartState.backups, OUTCOMES, loading=loading),
        line_chart("Stored data", ChartState.stored, value_heading="Stored", loading=loading),
        rx.cond(
            State.show_billing | State.loading,
            bar_chart("Billed per month", ChartState.billed, ("Billed",), first_heading="Month", loading=loading),
        ),
        class_name="grid-3",
    )


def accounts_table() -> rx.Component:
    """Search and filters, what they found, table and pager."""
    return rx.el.section(
        rx.el.div(
            search_input(
                "Search",
                value=State.search,
                on_change=lambda words: State.change("search", words),
                on_clear=State.change("search", ""),
                placeholder="Name or email",
            ),
            _filter("Account Status", "status", State.status, STATUS),
            _filter("Backup Status", "backup", State.backup, BACKUP),
            rx.cond(State.show_billing, _filter("Billing Status", "billing", State.billing, BILLING)),
            class_name="tools",
        ),
        list_head(rx.cond(State.loading, "Accounts", State.count), _chips(), _bulk()),
        rx.cond(State.show_billing | State.loading, _table(billing=True), _table(billing=False)),
        class_name="stack",
        aria_label="Accounts",
    )


def _filter(label: str, name: str, value: rx.Var[str], words: Named) -> rx.Component:
    options = [
        option("", f"{label.removesuffix(' Status')}: all"),
        *(option(key, text) for key, (text, _) in words.items()),
    ]
    return bare_select(
        label,
        f"filter-{name}",
        options,
        value=value,
        on_change=lambda chosen: State.change(name, chosen),
    )


def _href(part: str, value: Any) -> rx.Var[str]:
    """This page's address with another value for one part of the question."""
    return State.hrefs[part] + f"{part}=" + rx.Var.create(value).to(str)


def _sort_href(key: str) -> rx.Var[str]:
    return _href("sort", rx.cond((State.sort == key) & ~State.descending, f"-{key}", key))


def _chips() -> rx.Component:
    return rx.cond(
        State.filtered,
        rx.el.div(
            rx.cond(
                State.search != "",
                filter_chip("Search: " + State.search, State.change("search", "")),
            ),
            *(
                rx.cond(value != "", _chip(label, name, value, words))
                for label, name, value, words in (
                    ("Account Status", "status", State.status, STATUS),
                    ("Backup Status", "backup", State.backup, BACKUP),
                    ("Billing Status", "billing", State.billing, BILLING),
                )
            ),
            link_button("Clear all", href="/", load=State.answer, kind="ghost", small=True),
            class_name="chips",
        ),
    )


def _chip(label: str, name: str, value: rx.Var[str], words: Named) -> rx.Component:
    text = rx.match(value, *((key, shown) for key, (shown, _) in words.items()), "")
    return filter_chip(f"{label}: " + text.to(str), State.change(name, ""))


def _bulk() -> Bulk:
    page_only = (State.ticked.length() > 0) & ~State.all_ticked & (State.matching > State.ticked.length())
    words = rx.cond(
        State.all_ticked, f"All {State.matching} that match are selected", f"{State.ticked.length()} selected"
    )
    actions = (
        rx.cond(
            page_only,
            button(f"Select all {State.matching} that match", kind="ghost", small=True, on_click=State.tick_all),
        ),
        rx.cond(
            State.may_subscribe,
            menu(
                "Subscribe",
                MenuItem("Monthly", on_click=State.ask_subscribe("monthly")),
                MenuItem("Annual", on_click=State.ask_subscribe("annual")),
                id="subscribe-menu",
                kind="primary",
                small=True,
                at_end=True,
            ),
        ),
        rx.cond(State.may_export, button("Export Usage Report", small=True, on_click=State.ask_report)),
    )
    return Bulk((State.ticked.length() > 0) | State.all_ticked, words, actions, State.untick)


def _columns(billing: bool) -> list[Column]:
    shown = [
        Column("Account Name", "name", sort="name", width="minmax(120px, 5fr)"),
        Column("Email", "text", sort="email", on_card=False, wide_only=True, width="minmax(90px, 4fr)"),
        Column("Account Status", "status", sort="status", width="minmax(150px, 162px)"),
        Column("Backup Status", "status", sort="backup", width="minmax(118px, 130px)"),
        Column("Billing Status", "status", sort="billing", width="minmax(104px, 118px)"),
        Column("Amount", "number", sort="amount", width="minmax(92px, 104px)"),
        Column("Size", "number", sort="size", on_card=False, wide_only=True, width="minmax(82px, 96px)"),
        Column("Delete", "action", width="minmax(46px, 54px)"),
    ]
    return [column for column in shown if billing or column.label not in ("Billing Status", "Amount")]


def _table(billing: bool) -> rx.Component:
    columns = _columns(billing)
    return table(
        "Accounts",
        columns,
        State.lines,
        lambda line: _cells(line, billing),
        linked=True,
        even=True,
        sort=Sort(State.sort, State.descending, href=_sort_href, load=State.answer),
        ticks=Ticks(
            ticked=lambda line: State.all_ticked | State.ticked.contains(line["id"]),
            on_tick=lambda line: State.tick(line["id"]),
            label=lambda line: "Select " + line["name"].to(str),
            all_ticked=State.all_ticked
            | ((State.ticked.length() > 0) & (State.ticked.length() >= State.lines.length())),
            on_all=State.tick_page,
            some_ticked=State.ticked.length() > 0,
        ),
        loading=State.loading,
        waiting=_first_rows() if billing else None,
        empty=_empty(),
        foot=pager(
            State.page,
            State.pages,
            State.size,
            on_size=lambda size: State.change("size", size),
            previous=_href("page", (State.page - 1).to_string()),
            next=_href("page", (State.page + 1).to_string()),
            by_link=True,
            load=State.answer,
        ),
    )


def _first_rows() -> rx.Component:
    """The table's body until the live rows are there. React leaves alone what the server wrote into it."""
    written = {"dangerouslySetInnerHTML": {"__html": first_view.PLACE}, "suppressHydrationWarning": True}
    return rx.el.tbody(role="rowgroup", class_name="first-rows", custom_attrs=written)


def _cells(line: rx.Var[Line], billing: bool) -> list[Any]:
    name = rx.cond(State.may_open, row_link(line["name"], "/accounts/" + line["id"].to_string()), cut(line["name"]))
    taken = rx.el.div(cut(line["name"]), rx.el.span(CLOSED, class_name="cut muted"), class_name="two-lines")
    cells = [
        rx.cond(line["closed"], taken, name),
        cut(line["email"]),
        _status(STATUS, line["status"]),
        _status(BACKUP, line["backup"]),
    ]
    if billing:
        bills = link(
            _status(BILLING, line["billing"]),
            href=first_view.BILLS + line["id"].to_string(),
            class_name=_owed_look(line),
            in_row=True,
        )
        cells += [bills, rx.el.span(line["amount"], class_name=_owed_look(line))]
    bin_button = icon_button(
        "Delete trial " + line["name"].to(str), "bin", danger=True, on_click=State.ask_delete(line["id"])
    )
    return [*cells, line["size"], rx.cond(line["trial"] & State.may_delete, bin_button)]


def _status(named: Named, key: rx.Var[str]) -> rx.Component:
    """The words and the colour stand in the page: a line need not bring them along."""
    words, kinds = ({one: pair[part] for one, pair in named.items()} for part in (0, 1))
    return badge(rx.Var.create(kinds)[key], rx.Var.create(words)[key])


def _owed_look(line: rx.Var[Line]) -> rx.Var[str]:
    """On a phone there is nothing to say of who owes nothing."""
    return rx.cond(line["amount"] == NOTHING, "nothing", "")


def _empty() -> rx.Component:
    return rx.cond(
        State.filtered,
        empty_state(
            "search-x",
            "No account matches",
            "No account has all that the search and the filters ask for.",
            link_button("Show all accounts", href="/", load=State.answer),
        ),
        empty_state(
            "users",
            "No accounts yet",
            "Each customer has an account: its backups, its storage and its subscription are kept there.",
            rx.cond(State.may_add, link_button("+ Add New Account", href="/accounts/new", kind="primary")),
        ),
    )
