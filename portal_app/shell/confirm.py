"""The dialog that asks for the password again before a sensitive act."""

import reflex as rx

from portal_app.auth.state import WaitingState
from portal_app.shell.confirm_state import ConfirmState as State
from portal_app.shell.forms import native_form
from portal_app.ui import autofocus_attrs, button, dialog, passkey_form, password_input


def confirm_dialog() -> rx.Component:
    """Opened by the guard. What was typed on the page behind it stays."""
    known = WaitingState.has_password
    return dialog(
        WaitingState.asked,
        "Confirm it's you",
        rx.el.p(
            "You signed in more than 15 minutes ago. ",
            rx.cond(known, "Enter your password once more to go on.", "Sign in once more, then do this again."),
        ),
        rx.cond(known, _password()),
        rx.cond(
            WaitingState.has_passkey,
            button("Use a passkey", kind="ghost", icon="key-round", on_click=State.ask_passkey),
        ),
        passkey_form(State.passkey_options, "get", id="passkey-confirm", on_answer=State.take_passkey),
        id="confirm-it-is-you",
        actions=rx.fragment(button("Cancel", on_click=State.cancel), rx.cond(known, _confirm(), _sign_in_again())),
        on_close=State.cancel,
    )


def _password() -> rx.Component:
    return rx.el.form(
        password_input("Your password", "confirm_password", error=State.error, custom_attrs=autofocus_attrs()),
        id="confirm-form",
        on_submit=State.submit,
        method="post",
        no_validate=True,
    )


def _confirm() -> rx.Component:
    return button("Confirm", kind="primary", type="submit", busy=State.busy, custom_attrs={"form": "confirm-form"})


def _sign_in_again() -> rx.Component:
    """For who has no password here."""
    return native_form(button("Sign in again", kind="primary", type="submit"), action="/auth/sign-out")
