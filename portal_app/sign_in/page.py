"""`/login`."""

import reflex as rx

from portal_app.demo.people import PASSWORD, PEOPLE
from portal_app.settings import settings
from portal_app.shell.forms import native_form, send_on_mount
from portal_app.shell.layout import document_title, theme_switch
from portal_app.sign_in.state import SignInState
from portal_app.ui import button, callout, link, link_button, password_input, text_input


@rx.page(route="/login", title=document_title("Sign in"), on_load=SignInState.load)
def login() -> rx.Component:
    """The sign-in page."""
    return rx.el.main(
        rx.el.div(
            rx.el.div(
                rx.el.img(src="/favicon.svg", alt=""),
                settings().brand_name,
                class_name="auth-brand",
            ),
            rx.el.h1("Sign in to the Partner Portal"),
            callout("red", SignInState.error),
            rx.el.form(
                text_input(
                    "Email",
                    "email",
                    type="email",
                    error=SignInState.email_error,
                    auto_complete="username",
                    auto_focus=True,
                ),
                password_input("Password", "password", error=SignInState.password_error),
                button("Sign in", kind="primary", type="submit", busy=SignInState.busy, disabled=~SignInState.ready),
                on_submit=SignInState.submit,
                # Sent before the scripts are there, the browser's own GET would put the password into the address.
                method="post",
                no_validate=True,
                class_name="stack",
            ),
            rx.cond(SignInState.providers.length() > 0, _providers()),
            _carry(),
            class_name="auth-card",
        ),
        rx.cond(SignInState.demo, _demo_people()),
        rx.el.div(theme_switch(), class_name="auth-theme"),
        id="main",
        class_name="auth",
    )


def _carry() -> rx.Component:
    """Carries the ticket to the request that sets the cookie, as soon as there is one."""
    return rx.cond(
        SignInState.ticket != "",
        native_form(
            rx.el.input(type="hidden", name="ticket", value=SignInState.ticket, read_only=True),
            rx.el.input(type="hidden", name="next", value=SignInState.next_path, read_only=True),
            id="carry-ticket",
            action="/auth/session",
            on_mount=send_on_mount("carry-ticket"),
        ),
    )


def _providers() -> rx.Component:
    """Links, not forms: a form that is sent on to another company's pages would be against the CSP."""
    return rx.el.div(
        rx.el.div("or", class_name="auth-or"),
        rx.foreach(
            SignInState.providers,
            lambda provider: link_button(provider["label"], href=provider["href"], external=True),
        ),
        class_name="stack",
    )


def _demo_people() -> rx.Component:
    lines = [rx.el.div(rx.el.dt(person.email), rx.el.dd(person.about)) for person in PEOPLE]
    return rx.el.section(
        rx.el.h2("Demo people"),
        rx.el.p("All have the password ", rx.el.code(PASSWORD)),
        rx.el.dl(*lines),
        rx.el.p(link("Read their mail in the outbox", href="/outbox")),
        class_name="auth-demo",
    )
