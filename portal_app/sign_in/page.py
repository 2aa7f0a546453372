"""`/login`."""

import reflex as rx

from portal_app.demo.people import PASSWORD, PEOPLE
from portal_app.oidc.providers import ProviderLink
from portal_app.shell.forms import native_form, send_on_mount
from portal_app.shell.layout import document_title
from portal_app.sign_in.components import auth_card
from portal_app.sign_in.state import SignInState as State
from portal_app.ui import (
    button,
    callout,
    code_input,
    link,
    link_button,
    passkey_form,
    password_input,
    qr_code,
    recovery_codes,
    text_input,
)
from portal_app.ui.brand import PRODUCT


@rx.page(route="/login", title=document_title("Sign in"), on_load=State.load)
def login() -> rx.Component:
    """The sign-in page, one card for each step."""
    return auth_card(
        rx.match(
            State.stage,
            ("code", _code()),
            ("change_password", _change()),
            ("enrol", _enrol()),
            ("codes", _codes()),
            _begin(),
        ),
        passkey_form(State.passkey_options, "get", id="passkey-ask", on_answer=State.take_passkey),
        _carry(),
        beside=rx.cond(State.demo & (State.stage == "begin"), _demo_people()),
    )


def _begin() -> rx.Component:
    return rx.fragment(
        rx.el.h1("Sign in to the ", PRODUCT),
        callout("red", State.error),
        _form(
            text_input(
                "Email",
                "email",
                type="email",
                error=_fault("email"),
                auto_complete="username",
                auto_focus=True,
            ),
            password_input("Password", "password", error=_fault("password")),
            button("Sign in", kind="primary", type="submit", busy=State.busy, disabled=~State.ready),
            on_submit=State.submit,
        ),
        rx.el.p(link("Forgot password", href="/forgot"), class_name="auth-foot"),
        rx.el.div("or", class_name="auth-or"),
        rx.el.div(
            button("Use a passkey", icon="key-round", on_click=State.ask_passkey, disabled=~State.ready),
            rx.foreach(State.providers, _provider),
            class_name="stack",
        ),
    )


def _code() -> rx.Component:
    return rx.fragment(
        rx.el.h1("Two-factor authentication"),
        callout("red", State.error),
        rx.cond(
            State.by_recovery_code,
            rx.el.p("Enter one of the recovery codes that you kept. It works once."),
            rx.el.p("Enter the code that your authenticator app shows for this portal."),
        ),
        _form(
            rx.cond(
                State.by_recovery_code,
                text_input("Recovery code", "code", id="recovery-code", error=_fault("code"), auto_complete="off"),
                code_input(_fault("code"), auto_focus=True),
            ),
            button("Verify", kind="primary", type="submit", busy=State.busy),
            on_submit=State.verify,
        ),
        button(
            rx.cond(State.by_recovery_code, "Use the authenticator app", "Use a recovery code"),
            kind="ghost",
            on_click=State.other_code,
        ),
        button("Use a passkey", kind="ghost", on_click=State.ask_passkey),
        _start_over(),
    )


def _change() -> rx.Component:
    return rx.fragment(
        rx.el.h1("Change password"),
        callout("red", State.error),
        rx.el.p("Your password has expired, or somebody else has set it. Choose a new one to go on."),
        _form(
            password_input(
                "New password",
                "password",
                id="new-password",
                error=_fault("password"),
                hint="12 to 128 characters of any kind.",
                auto_complete="new-password",
            ),
            password_input("Confirm password", "again", error=_fault("again"), auto_complete="new-password"),
            button("Change password", kind="primary", type="submit", busy=State.busy),
            on_submit=State.change,
        ),
        _start_over(),
    )


def _enrol() -> rx.Component:
    return rx.fragment(
        rx.el.h1("Set up two-factor authentication"),
        callout("red", State.error),
        rx.el.p("A second factor is required. Scan this with an authenticator app, or type the secret in."),
        qr_code(State.qr, State.qr_side, "QR code for the authenticator app"),
        rx.el.p("Secret: ", rx.el.code(State.secret), class_name="secret"),
        _form(
            code_input(_fault("code")),
            button("Enable", kind="primary", type="submit", busy=State.busy),
            on_submit=State.enable,
        ),
        _start_over(),
    )


def _codes() -> rx.Component:
    return rx.fragment(
        rx.el.h1("Keep your recovery codes"),
        rx.el.p("Each stands in once for the second factor, should you lose it. They are never shown again."),
        recovery_codes(State.codes, State.codes_text),
        button("Continue", kind="primary", on_click=State.go_on),
    )


def _form(*children: rx.Component, on_submit: rx.event.EventHandler) -> rx.Component:
    # Sent before the scripts are there, the browser's own GET would put what was typed into the address.
    return rx.el.form(*children, on_submit=on_submit, method="post", no_validate=True, class_name="stack")


def _fault(name: str) -> rx.Var[str]:
    return State.errors.get(name, "").to(str)


def _start_over() -> rx.Component:
    return button("Sign in as somebody else", kind="ghost", on_click=State.start_over)


def _carry() -> rx.Component:
    """Carries the ticket to the request that sets the cookie, as soon as there is one.

    Not while the page is still loading: what the tab knows then is the last sign-in's ticket, which is spent.
    """
    return rx.cond(
        rx.State.is_hydrated & (State.ticket != ""),
        native_form(
            rx.el.input(type="hidden", name="ticket", value=State.ticket, read_only=True),
            rx.el.input(type="hidden", name="next", value=State.next_path, read_only=True),
            id="carry-ticket",
            action="/auth/session",
            on_mount=send_on_mount("carry-ticket"),
        ),
    )


def _provider(provider: rx.Var[ProviderLink]) -> rx.Component:
    """A link, not a form: a form that is sent on to another company's pages would be against the CSP."""
    return link_button(provider["label"], href=provider["href"], external=True)


def _demo_people() -> rx.Component:
    lines = [rx.el.div(rx.el.dt(person.email), rx.el.dd(person.about)) for person in PEOPLE]
    return rx.el.section(
        rx.el.h2("Demo people"),
        rx.el.p("All have the password ", rx.el.code(PASSWORD)),
        rx.el.dl(*lines),
        rx.el.p(link("Read their mail in the outbox", href="/outbox")),
        class_name="auth-demo",
    )
