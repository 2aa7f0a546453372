"""The frame of a customer's account: crumbs, name, statuses and tabs above each of its pages."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from portal_app.shell.account_state import AccountFrameState as Frame
from portal_app.shell.layout import portal_page, tab_link
from portal_app.shell.navigation import NavLink
from portal_app.ui import badge, icon, link, link_button

Page = Callable[[], rx.Component]


def account_page(path: str, title: str, *, load: Any, help_topic: str, heading: bool = True) -> Callable[[Page], Page]:
    """Registers a page of an account, at `path` below `/accounts/{id}`. `load` must call `enter_account` first.

    `heading`: the page is headed with its title.
    """

    def wrap(content: Page) -> Page:
        def framed() -> rx.Component:
            parts = [rx.el.h2(title, class_name="page-title")] if heading else []
            return rx.cond(Frame.missing, _missing(), rx.fragment(_head(), *parts, content()))

        # The build puts a page's parts into the file of its function's module.
        framed.__name__, framed.__module__ = content.__name__, content.__module__
        portal_page(f"/accounts/[account_id]{path}", title, load=load, help_topic=help_topic)(framed)
        return content

    return wrap


def _tab(tab: rx.Var[NavLink]) -> rx.Component:
    path = rx.State.router.url.path
    below = (tab["label"] != "Overview") & path.startswith(tab["href"].to(str) + "/")
    return tab_link(tab["label"], tab["href"], within=below | ((tab["label"] == "Backups") & path.contains("/tasks/")))


def _missing() -> rx.Component:
    return rx.el.div(
        rx.el.h1("There is no such account"),
        rx.el.p("It may have been deleted, or it is not yours to see."),
        link_button("Go to the start page", href="/"),
        class_name="error-page",
    )


def _head() -> rx.Component:
    return rx.el.header(
        # Nearly all who come are partners: while that is not known, the place of the link is free.
        rx.cond(
            Frame.loading,
            rx.el.div(class_name="crumbs"),
            rx.cond(
                Frame.by_partner,
                rx.el.nav(link(icon("arrow-left"), "Dashboard", href="/"), class_name="crumbs", aria_label="Back"),
            ),
        ),
        rx.el.div(
            rx.el.h1(rx.cond(Frame.loading, "Account", Frame.title), class_name="cut", title=Frame.title),
            rx.el.div(
                rx.cond(
                    ~Frame.loading,
                    rx.fragment(
                        badge(Frame.status_kind, Frame.status, pill=True),
                        badge(Frame.backup_kind, Frame.backup, pill=True),
                    ),
                ),
                class_name="row statuses",
            ),
            class_name="page-head page-head-title",
        ),
        rx.el.nav(rx.el.ul(rx.foreach(Frame.tabs, _tab), class_name="tabs"), aria_label="Account"),
        class_name="stack",
    )
