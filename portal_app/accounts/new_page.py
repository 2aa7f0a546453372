"""`/accounts/new`."""

import reflex as rx

from portal_app.accounts.new_state import NewAccountState as State
from portal_app.accounts.new_state import Place
from portal_app.accounts.plans import KINDS
from portal_app.accounts.storage_credentials import FIELD_PREFIX
from portal_app.shell.layout import portal_page
from portal_app.ui import (
    button,
    callout,
    fault_in,
    field,
    focus_first_fault,
    link_button,
    option,
    password_input,
    radio_group,
    strength_meter,
    text_input,
)
from portal_app.ui.kinds import Flag, follows
from portal_app.ui.storage import storage_fields

CUSTOM = (
    ("aws_s3", "Customer AWS S3"),
    ("s3_compatible", "AWS S3 Compatible"),
    ("google_cloud", "Google Cloud"),
    ("azure", "Azure"),
)


@portal_page("/accounts/new", "Add New Account", load=State.load, help_topic="add-account")
def new_account() -> rx.Component:
    """The form of a new account."""
    return rx.fragment(
        rx.el.div(
            rx.el.h1("Add New Account"),
            rx.el.div(link_button("Import accounts from CSV", href="/accounts/import"), class_name="page-actions"),
            class_name="page-head",
        ),
        rx.el.form(
            callout("red", State.error),
            focus_first_fault(State.error != ""),
            _user(),
            _storage(),
            _subscription(),
            rx.el.div(
                button("Add", kind="primary", type="submit", busy=State.busy, disabled=~State.ready),
                link_button("Cancel", href="/"),
                rx.cond(
                    State.busy & _is_custom(), rx.el.span("Checking the storage …", custom_attrs={"role": "status"})
                ),
                class_name="form-actions",
            ),
            on_submit=State.add,
            # Sent before the scripts are there, the browser's own GET would put the passwords into the address.
            method="post",
            no_validate=True,
            auto_complete="off",
            class_name="form",
        ),
    )


def _section(title: str, *fields: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h2(title), *fields, class_name="card stack", aria_label=title)


def _user() -> rx.Component:
    return _section(
        "User Settings",
        text_input("Partner ID", "partner_id", value=State.partner_code, read_only=True, tab_index=-1),
        text_input("Account name", "name", error=_fault("name"), auto_complete="off"),
        text_input(
            "Account email",
            "email",
            type="email",
            error=_fault("email"),
            hint=rx.cond(
                _by_mail(),
                "Unique for each customer. The invitation goes to this address.",
                "Unique for each customer. An alias works well; it need not receive mail.",
            ),
            auto_complete="off",
        ),
        radio_group(
            "First password",
            "password_mode",
            [
                option("typed", "I choose it", "You tell it to the customer, or keep it."),
                option("mail", "Let the customer set it by mail", "An invitation goes out, good for 24 hours."),
            ],
            value=State.password_mode,
            on_change=State.choose_password_mode,
        ),
        rx.cond(_by_mail(), rx.fragment(), _password()),
    )


def _by_mail() -> Flag:
    return State.password_mode == "mail"


def _password() -> rx.Component:
    return rx.fragment(
        password_input(
            "Password",
            "password",
            error=_fault("password"),
            hint="12 characters or more.",
            auto_complete="new-password",
            after=strength_meter(State.strength, State.strength_words),
            on_change=State.weigh_password.debounce(300),
        ),
        password_input("Retype password", "retype", error=_fault("retype"), auto_complete="new-password"),
    )


def _storage() -> rx.Component:
    return _section(
        "Storage Settings",
        field(
            "Data Center Location",
            lambda wiring: rx.el.select(
                rx.el.optgroup(rx.foreach(State.places, _place), label="Data centres"),
                rx.el.optgroup(
                    *(rx.el.option(label, value=kind) for kind, label in CUSTOM), label="The customer's own"
                ),
                default_value=State.place,
                on_change=State.choose_place,
                disabled=~State.ready,
                class_name="control",
                custom_attrs=follows("value", State.place),
                **wiring,
            ),
            name="place",
            error=_fault("place"),
        ),
        rx.cond(
            _is_custom(),
            rx.el.p(
                "Before the account is saved, a small object is written to this storage, read and deleted.",
                class_name="muted",
            ),
        ),
        storage_fields(State.place, _fault, prefix=FIELD_PREFIX),
    )


def _subscription() -> rx.Component:
    hints = {
        "trial": "14 days, then 7 days of grace to subscribe; after that the data is deleted.",
        "trial_auto": "14 days, then the subscription begins by itself.",
        "auto": "The subscription begins now.",
    }
    return _section(
        "Subscription Settings",
        radio_group(
            "How the account begins",
            "kind",
            [option(value, label, hints[value]) for value, label in KINDS],
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
    )


def _place(place: rx.Var[Place]) -> rx.Component:
    return rx.el.option(place["label"], value=place["value"])


def _is_custom() -> rx.Var[bool]:
    return rx.Var.create([kind for kind, _ in CUSTOM]).contains(State.place)


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
