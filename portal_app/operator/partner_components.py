"""The frame of one partner in the console: name, state and tabs above each of its pages."""

from collections.abc import Callable
from typing import Any

import reflex as rx

from portal_app.operator.partner_frame_state import PartnerFrameState as Frame
from portal_app.operator.query import PARTNER, PARTNERS
from portal_app.shell.layout import operator_page, tab_link
from portal_app.ui import badge, empty_state, link_button

Page = Callable[[], rx.Component]
TABS = (("Overview", ""), ("Billing", "/billing"), ("Accounts", "/accounts"))


def partner_page(path: str, *, load: Any, help_topic: str) -> Callable[[Page], Page]:
    """Registers a page of a partner, at `path` below `/operator/partners/{code}`. `load` calls `enter_partner`."""

    def wrap(content: Page) -> Page:
        def framed() -> rx.Component:
            return rx.cond(Frame.missing, _missing(), rx.fragment(_head(), content()))

        # The build puts a page's parts into the file of its function's module.
        framed.__name__, framed.__module__ = content.__name__, content.__module__
        operator_page(f"{PARTNER}/[code]{path}", "Partner", load=load, help_topic=help_topic)(framed)
        return content

    return wrap


def _head() -> rx.Component:
    root = f"{PARTNER}/" + Frame.code
    audit = "/operator/audit?partner=" + Frame.code
    tabs = (*(tab_link(label, root + path) for label, path in TABS), tab_link("Audit", audit))
    state = rx.cond(Frame.suspended, badge("red", "Suspended", pill=True), badge("green", "Active", pill=True))
    return rx.el.div(
        rx.el.div(rx.el.h2(Frame.name, class_name="cut", title=Frame.name), state, class_name="row"),
        rx.el.nav(rx.el.ul(*tabs, class_name="tabs"), aria_label="Partner"),
        class_name="stack",
    )


def _missing() -> rx.Component:
    return empty_state(
        "building-2",
        "There is no such partner",
        "The list has all of them.",
        link_button("Show all partners", href=PARTNERS),
    )
