"""How a page leads to the payment processor."""

import reflex as rx

from portal_app.billing.payment_routes import LEAVE
from portal_app.shell.forms import native_form, send_on_mount

_ID = "leave-for-processor"


def leaving_form(url: rx.Var[str]) -> rx.Component:
    """Takes the browser to the hosted page as soon as the state's variable holds its address.

    Neither a redirect (the router takes the portal's own addresses for pages) nor the form itself (its policy stops
    answers that lead to another host) gets there. The handler sets the variable, yields, and empties it again, or a
    reload of the page would leave once more.
    """
    return rx.cond(
        url != "",
        native_form(
            rx.el.input(type="hidden", name="url", value=url, read_only=True),
            id=_ID,
            action=LEAVE,
            on_mount=send_on_mount(_ID),
        ),
    )
