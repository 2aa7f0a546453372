"""Pages of the frame itself: not found."""

import reflex as rx

from portal_app.shell.layout import document_title, not_found_content


@rx.page(route="/404", title=document_title("Page not found"))
def not_found() -> rx.Component:
    """What an unknown address shows."""
    return not_found_content()
