"""`/settings/account`."""

import reflex as rx

from portal_app.accounts.plans import KINDS
from portal_app.partner_settings.state import PartnerSettingsState as State
from portal_app.shell.layout import settings_page
from portal_app.times import time_zones
from portal_app.ui import (
    autofocus_attrs,
    button,
    callout,
    dialog,
    fault_in,
    focus_first_fault,
    option,
    radio_group,
    select,
    text_area,
    text_input,
)


@settings_page("/settings/account", "Account", load=State.load, help_topic="account-settings")
def account_settings() -> rx.Component:
    """What the partner says of itself, and what its new accounts begin with."""
    return rx.fragment(
        # The fields take what is saved when they are made: not before it is there.
        rx.cond(State.ready, _form(), rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true")),
        _request_dialog(),
    )


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", State.error),
        focus_first_fault(State.error != ""),
        _company(),
        _new_accounts(),
        rx.el.div(button("Save", kind="primary", type="submit"), class_name="form-actions"),
        on_submit=State.save,
        method="post",
        no_validate=True,
        class_name="form",
    )


def _section(title: str, *fields: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h2(title), *fields, class_name="card stack", aria_label=title)


def _company() -> rx.Component:
    return _section(
        "Company",
        text_input("Partner ID", "partner_id", value=State.code, read_only=True, tab_index=-1),
        _field("Portal email", "email", type="email", hint="Where the provider writes to.", auto_complete="email"),
        _field("Name", "name", auto_complete="organization", required=True),
        text_area(
            "Address",
            "address",
            default_value=State.saved["address"],
            error=_fault("address"),
            auto_complete="street-address",
        ),
        _field("Phone", "phone", type="tel", auto_complete="tel"),
        _field(
            "Time zone",
            "time_zone",
            hint="All times in the portal are shown in it. Type a part of its name.",
            required=True,
            auto_complete="off",
            spell_check=False,
            custom_attrs={"list": "time-zones"},
        ),
        rx.el.datalist(*(rx.el.option(value=name) for name in time_zones()), id="time-zones"),
    )


def _field(label: str, name: str, **props) -> rx.Component:
    return text_input(label, name, default_value=State.saved[name], error=_fault(name), **props)


def _new_accounts() -> rx.Component:
    return _section(
        "New accounts",
        radio_group(
            "Default subscription type",
            "kind",
            [option(value, label) for value, label in KINDS],
            value=State.kind,
            on_change=State.choose_kind,
            error=_fault("subscription"),
        ),
        rx.cond(
            State.kind != "trial",
            radio_group(
                "Subscription",
                "plan",
                [option("monthly", "Monthly"), option("annual", "Annual")],
                value=State.plan,
                on_change=State.choose_plan,
            ),
        ),
        text_input(
            "Default storage location",
            "default_location",
            value=State.location,
            read_only=True,
            hint="Only the provider changes it.",
        ),
        rx.cond(State.may_ask, rx.el.div(button("Request a change", on_click=State.open_request))),
    )


def _request_dialog() -> rx.Component:
    return dialog(
        State.asking,
        "Request another storage location",
        rx.el.p("Your request becomes a support ticket. Accounts that exist stay where they are."),
        rx.el.form(
            focus_first_fault(State.errors.length() > 0),
            rx.el.p("Now: ", rx.el.strong(State.location)),
            select(
                "New default location",
                "location",
                State.other_locations,
                error=_fault("location"),
                custom_attrs=autofocus_attrs(),
            ),
            text_area("Why", "why", error=_fault("why"), rows="4"),
            id="location-form",
            on_submit=State.send_request,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id="location-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close_request),
            button("Send request", kind="primary", type="submit", form="location-form"),
        ),
        on_close=State.close_request,
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
