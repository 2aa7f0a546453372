"""`/`."""

import reflex as rx

from portal_app.dashboard.components import accounts_table, charts, widgets
from portal_app.dashboard.state import DashboardState
from portal_app.shell.layout import portal_page
from portal_app.ui import confirm, confirm_by_name, link_button, show_address


@portal_page("/", "Dashboard", load=DashboardState.load, help_topic="dashboard")
def dashboard() -> rx.Component:
    """How all customers are."""
    return rx.fragment(
        rx.el.div(
            rx.el.h1("Dashboard"),
            rx.el.div(
                rx.cond(
                    DashboardState.may_add,
                    link_button("+ Add New Account", href="/accounts/new", kind="primary"),
                ),
                class_name="page-actions",
            ),
            class_name="page-head",
        ),
        widgets(),
        charts(),
        accounts_table(),
        show_address(DashboardState.address, DashboardState.entry, DashboardState.turn),
        _subscribe_dialog(),
        _report_dialog(),
        _delete_dialog(),
        rx.window_event_listener(on_popstate=DashboardState.back),
    )


def _subscribe_dialog() -> rx.Component:
    """Asks before a subscription begins."""
    words = rx.match(DashboardState.plan, ("annual", "annually"), "monthly")
    return confirm(
        DashboardState.plan != "",
        f"Subscribe {words}?",
        f"{DashboardState.plan_count} selected. Trials among them are subscribed {words} from today; "
        "accounts that are subscribed already stay as they are.",
        rx.el.p(
            rx.cond(DashboardState.price != "", DashboardState.price, "The price is being worked out …"),
            class_name="strong",
            custom_attrs={"role": "status"},
        ),
        rx.el.p(DashboardState.progress, custom_attrs={"role": "status"}),
        id="subscribe-dialog",
        act="Subscribe",
        on_confirm=DashboardState.subscribe,
        on_close=DashboardState.close_dialogs,
        busy=DashboardState.subscribing | (DashboardState.price == ""),
    )


def _report_dialog() -> rx.Component:
    """Asks before a usage report is made."""
    return confirm(
        DashboardState.reporting != "",
        "Export usage report?",
        f"{DashboardState.reporting} selected. The report comes to you by mail, as a CSV file in a zip.",
        id="report-dialog",
        act="Confirm",
        on_confirm=DashboardState.export_report,
        on_close=DashboardState.close_dialogs,
    )


def _delete_dialog() -> rx.Component:
    """Asks for the name before a trial is deleted."""
    return confirm_by_name(
        DashboardState.deleting_id != 0,
        "Delete this trial?",
        f"The account of {DashboardState.deleting_email} and all its backups are deleted at once. "
        "This can't be undone.",
        id="delete-dialog",
        name=DashboardState.deleting_name,
        typed=DashboardState.typed_name,
        on_type=DashboardState.type_name,
        matches=DashboardState.typed_name == DashboardState.deleting_name,
        act="Delete trial",
        on_confirm=DashboardState.delete_trial,
        on_close=DashboardState.close_dialogs,
        busy=DashboardState.deleting,
        error=DashboardState.delete_error,
    )
