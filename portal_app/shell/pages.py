"""Pages of the frame itself: not found."""

import reflex as rx

from portal_app.settings import settings
from portal_app.shell.layout import document_title
from portal_app.ui import link_button


@rx.page(route="/404", title=document_title("Page not found"))
def not_found() -> rx.Component:
    """What an unknown address shows."""
    return rx.el.main(
        rx.el.p("404", class_name="code"),
        rx.el.h1("Page not found"),
        rx.el.p("There is nothing at this address, or it is not yours to see."),
        link_button("Go to the start page", href="/", kind="primary"),
        rx.el.p(settings().brand_name, class_name="muted"),
        id="main",
        class_name="error-page",
    )
