"""`/access-denied`: for who comes from an address that their company does not trust."""

import reflex as rx

from portal_app.auth.guard import ACCESS_DENIED
from portal_app.ip_restrictions.denied_state import AccessDeniedState as State
from portal_app.shell.forms import native_form
from portal_app.shell.layout import document_title
from portal_app.ui import button, icon, link_button
from portal_app.ui.brand import support_link


@rx.page(route=ACCESS_DENIED, title=document_title("Access denied"), on_load=State.load)
def access_denied() -> rx.Component:
    """The address one comes from, and whom to ask."""
    return rx.el.main(
        icon("shield-x", 32),
        rx.el.h1("Access denied"),
        rx.el.p(
            "You come from the IP address ",
            rx.el.strong(State.address),
            ". Your company lets people in only from its trusted IP addresses, and this is not one of them.",
        ),
        rx.el.p(
            "Ask an administrator of your company to add it, or write to ",
            support_link(),
            ".",
        ),
        rx.el.div(
            link_button("Try again", href="/", kind="primary", external=True),
            native_form(button("Sign in as somebody else", type="submit"), action="/auth/sign-out"),
            class_name="row",
        ),
        id="main",
        class_name="error-page",
    )
