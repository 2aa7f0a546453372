"""`/`."""

import reflex as rx

from portal_app.dashboard.components import accounts_table, charts, delete_dialog, subscribe_dialog, widgets
from portal_app.dashboard.state import DashboardState
from portal_app.shell.layout import portal_page
from portal_app.ui import link_button


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
        subscribe_dialog(),
        delete_dialog(),
    )
