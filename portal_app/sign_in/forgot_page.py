"""`/forgot` and `/reset`."""

import reflex as rx

from portal_app.security.resets import VOID
from portal_app.shell.layout import document_title
from portal_app.sign_in.components import auth_card
from portal_app.sign_in.forgot_state import ForgotState, ResetState
from portal_app.ui import button, callout, link, link_button, password_input, text_input


@rx.page(route="/forgot", title=document_title("Forgot password"), on_load=ForgotState.load)
def forgot() -> rx.Component:
    """Asks for the address."""
    return auth_card(
        rx.el.h1("Forgot password"),
        rx.cond(
            ForgotState.sent,
            rx.el.p(
                "If there is a user with this address, a mail with a link is on its way. The link works once, "
                "for one hour.",
                custom_attrs={"role": "status"},
            ),
            _ask(),
        ),
        rx.el.p(link("Back to sign in", href="/login"), class_name="auth-foot"),
    )


def _ask() -> rx.Component:
    return rx.fragment(
        callout("red", ForgotState.error),
        rx.el.p("Enter the email address that you sign in with. You get a link to choose a new password."),
        rx.el.form(
            text_input("Email", "email", type="email", error=ForgotState.email_error, auto_complete="username"),
            # Enter in the field would send it before the scripts are there.
            button(
                "Send the link",
                kind="primary",
                type="submit",
                busy=ForgotState.busy,
                disabled=~rx.State.is_hydrated,
            ),
            on_submit=ForgotState.submit,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
    )


@rx.page(route="/reset", title=document_title("Choose a new password"), on_load=ResetState.load)
def reset() -> rx.Component:
    """Where the mailed link leads."""
    return auth_card(
        rx.el.h1("Choose a new password"),
        rx.cond(
            ResetState.done,
            rx.fragment(
                rx.el.p(
                    "Your password was changed, and you were signed out everywhere. Sign in with the new one.",
                    custom_attrs={"role": "status"},
                ),
                link_button("Go to sign in", href="/login", kind="primary"),
            ),
            rx.cond(ResetState.good, _choose(), rx.cond(ResetState.ready, _void())),
        ),
    )


def _choose() -> rx.Component:
    return rx.el.form(
        password_input(
            "New password",
            "password",
            error=ResetState.errors.get("password", "").to(str),
            hint="12 to 128 characters of any kind.",
            auto_complete="new-password",
        ),
        password_input(
            "Confirm password",
            "again",
            error=ResetState.errors.get("again", "").to(str),
            auto_complete="new-password",
        ),
        button("Change password", kind="primary", type="submit", busy=ResetState.busy),
        on_submit=ResetState.submit,
        method="post",
        no_validate=True,
        class_name="stack",
    )


def _void() -> rx.Component:
    return rx.fragment(
        rx.el.p(VOID, custom_attrs={"role": "alert"}),
        link_button("Ask for a new link", href="/forgot", kind="primary"),
    )
