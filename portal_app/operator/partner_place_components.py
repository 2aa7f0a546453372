"""A part of a partner's page: in which location its new accounts begin."""

import reflex as rx

from portal_app.operator.partner_place_state import PartnerPlaceState as State
from portal_app.ui import button, select


def partner_place() -> rx.Component:
    """The choice of the default storage location. It loads by itself, for the partner of the address."""
    return rx.el.form(
        rx.el.section(
            rx.el.h2("Default storage location"),
            select(
                "Location of new accounts",
                "place",
                State.choices,
                value=State.saved,
                error=State.error,
                hint="Accounts that are there already stay where they are.",
            ),
            rx.el.div(button("Save location", type="submit", busy=State.busy), class_name="form-actions"),
            class_name="card stack",
            aria_label="Default storage location",
        ),
        on_submit=State.save,
        on_mount=State.load,
        class_name="form",
        method="post",
        no_validate=True,
    )
