"""The frame of the pages for people who are not signed in."""

import reflex as rx

from portal_app.shell.layout import ready_or_not, theme_switch
from portal_app.ui.brand import brand_sign, legal_links
from portal_app.ui.kinds import Node


def auth_card(*children: Node, beside: Node | None = None) -> rx.Component:
    """One card in the middle, below the brand."""
    return rx.el.main(
        rx.el.div(rx.el.div(brand_sign(), class_name="auth-brand"), *children, class_name="auth-card"),
        beside if beside is not None else rx.fragment(),
        legal_links(),
        rx.el.div(theme_switch(), class_name="auth-theme"),
        id="main",
        class_name=ready_or_not("auth"),
    )
