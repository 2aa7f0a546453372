"""`/invitation`."""

import reflex as rx

from portal_app.shell.layout import document_title, theme_switch
from portal_app.ui import button, fault_in, focus_first_fault, icon, link_button, password_input, strength_meter
from portal_app.ui.brand import brand_sign, support_link
from portal_app.users.invitation_state import PATH
from portal_app.users.invitation_state import InvitationState as State

_CONFIRMED = "Your address is confirmed."
PROVIDERS = {"Azure": "Microsoft", "Google": "Google"}


@rx.page(route=PATH, title=document_title("Invitation"), on_load=State.load)
def invitation() -> rx.Component:
    """Who was invited confirms the address, and chooses a password."""
    return rx.el.main(
        rx.el.div(
            rx.el.div(
                brand_sign(),
                class_name="auth-brand",
            ),
            rx.cond(
                State.loading,
                rx.el.h1("Your invitation"),
                rx.cond(State.done, _done(), rx.cond(State.refusal != "", _refused(), _form())),
            ),
            class_name="auth-card",
        ),
        rx.el.div(theme_switch(), class_name="auth-theme"),
        id="main",
        class_name="auth",
    )


def _form() -> rx.Component:
    return rx.fragment(
        rx.el.h1(rx.cond(State.sets_password, "Choose your password", "Confirm your address")),
        rx.el.p("You are invited as ", rx.el.strong(State.email), "."),
        rx.el.form(
            focus_first_fault(State.errors.length() > 0),
            # For password managers, which else would not know whose password it is.
            rx.el.input(type="hidden", name="username", auto_complete="username", value=State.email, read_only=True),
            rx.cond(State.sets_password, _password()),
            button(
                rx.cond(State.sets_password, "Set password", "Confirm address"),
                kind="primary",
                type="submit",
                busy=State.busy,
            ),
            on_submit=State.accept,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
    )


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


def _done() -> rx.Component:
    words = rx.match(
        State.type,
        *(
            (name, f"Your address is confirmed. On the sign-in page, choose Sign in with {who}.")
            for name, who in PROVIDERS.items()
        ),
        rx.cond(
            State.sets_password,
            "Your password is set. You can sign in now.",
            f"{_CONFIRMED} Sign in with the password that you were told.",
        ),
    )
    return rx.fragment(
        rx.el.h1("Welcome"),
        rx.el.p(words, custom_attrs={"role": "status"}),
        link_button("Go to the sign-in page", href="/login", kind="primary"),
    )


def _refused() -> rx.Component:
    return rx.fragment(
        icon("link-2-off", 32),
        rx.el.h1("This invitation can't be used"),
        rx.el.p(State.refusal, custom_attrs={"role": "alert"}),
        rx.el.p(
            "If you have confirmed your address already, sign in. Else ask whoever invited you to send the invitation "
            "once more, or write to ",
            support_link(),
            ".",
        ),
        link_button("Go to the sign-in page", href="/login"),
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
