"""`/operator/partners/new`."""

import reflex as rx

from portal_app.money import currencies
from portal_app.operator.new_partner_state import NewPartnerState as State
from portal_app.operator.query import PARTNER, PARTNERS
from portal_app.shell.layout import operator_page
from portal_app.times import time_zones
from portal_app.ui import button, callout, fault_in, focus_first_fault, link_button, option, select, text_input


@operator_page(f"{PARTNER}/new", "Add partner", load=State.load, help_topic="new-partner")
def new_partner() -> rx.Component:
    """The form of a new partner."""
    return rx.cond(State.ready, _form(), rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true"))


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", State.error),
        focus_first_fault(State.errors.length() > 0),
        _section(
            "Partner",
            _field(
                "Partner ID", "code", hint="3 to 20 letters and digits, such as ACME01. It stays.", spell_check=False
            ),
            _field("Name", "name"),
            select(
                "Currency",
                "currency",
                [option("", "Choose a currency"), *(option(code) for code in sorted(currencies()))],
                error=_fault("currency"),
                hint="All its bills are in this currency. It stays once something is billed.",
            ),
            _field(
                "Time zone",
                "time_zone",
                hint="Such as Europe/Paris. Type a part of its name.",
                spell_check=False,
                custom_attrs={"list": "time-zones"},
            ),
            rx.el.datalist(*(rx.el.option(value=name) for name in time_zones()), id="time-zones"),
        ),
        _section(
            "Administrator",
            rx.el.p(
                "The first user is invited by mail, chooses a password, and invites colleagues.",
                class_name="field-hint",
            ),
            _field("Administrator's email", "admin_email", type="email"),
            _field("Administrator's name", "admin_name"),
        ),
        rx.el.div(
            button("Add partner", kind="primary", type="submit", busy=State.busy),
            link_button("Cancel", href=PARTNERS),
            class_name="form-actions",
        ),
        on_submit=State.add,
        method="post",
        no_validate=True,
        auto_complete="off",
        class_name="form",
    )


def _section(title: str, *parts: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h2(title), *parts, class_name="card stack", aria_label=title)


def _field(label: str, name: str, **props) -> rx.Component:
    return text_input(label, name, error=_fault(name), auto_complete="off", required=True, **props)


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
