"""One page without any state; SQLModel is loaded, as any app with a database has it."""

import reflex as rx
import sqlmodel  # noqa: F401


def page() -> rx.Component:
    """Nothing to see."""
    return rx.el.p("Nothing")


app = rx.App()
app.add_page(page, route="/")
