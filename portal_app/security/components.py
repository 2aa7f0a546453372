"""The Security page's section about the second factor, and its dialogs."""

import reflex as rx

from portal_app.security.two_factor_state import TwoFactorState as State
from portal_app.ui import (
    autofocus_attrs,
    badge,
    button,
    callout,
    code_input,
    dialog,
    password_input,
    qr_code,
    recovery_codes,
)


def two_factor_section() -> rx.Component:
    """On or off, and what can be done about it."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Two-factor authentication"),
            rx.cond(State.is_on, badge("green", "On", pill=True), badge("grey", "Off", pill=True)),
            class_name="card-head",
        ),
        rx.el.p(
            "A code of an app on your phone, asked for after your password. Who learns your password can't sign in "
            "without it."
        ),
        rx.cond(State.is_on, _on(), button("Activate 2FA", kind="primary", on_click=State.begin)),
        _scan(),
        _code(),
        _codes(),
        _off(),
        class_name="card stack-start",
        aria_label="Two-factor authentication",
    )


def _on() -> rx.Component:
    return rx.fragment(
        rx.el.p(f"Unused recovery codes: {State.codes_left}.", class_name="muted"),
        rx.el.div(
            button("New recovery codes", on_click=State.renew),
            rx.cond(
                State.required,
                rx.el.p("Your company requires it.", class_name="muted"),
                button("Turn off 2FA", kind="danger", on_click=State.ask_off),
            ),
            class_name="row",
        ),
    )


def _scan() -> rx.Component:
    return dialog(
        State.dialog == "scan",
        "Activate 2FA",
        rx.el.p("Scan this with an authenticator app. If you can't, type the secret into it."),
        qr_code(State.qr, State.qr_side, "QR code for the authenticator app"),
        rx.el.p("Secret: ", rx.el.code(State.secret), class_name="secret"),
        id="scan-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Next", kind="primary", on_click=State.ask_code, custom_attrs=autofocus_attrs()),
        ),
        on_close=State.close,
    )


def _code() -> rx.Component:
    return dialog(
        State.dialog == "code",
        "Enter the first code",
        rx.el.form(
            code_input(
                _fault("code"),
                id="enable-code",
                hint="The code that the app shows for this portal now.",
                custom_attrs=autofocus_attrs(),
            ),
            id="enable-form",
            on_submit=State.enable,
            method="post",
            no_validate=True,
        ),
        id="code-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Enable", kind="primary", type="submit", custom_attrs={"form": "enable-form"}),
        ),
        on_close=State.close,
    )


def _codes() -> rx.Component:
    return dialog(
        State.dialog == "codes",
        "Keep your recovery codes",
        rx.el.p("Each stands in once for the second factor, should you lose it. They are never shown again."),
        recovery_codes(State.codes, State.codes_text),
        id="codes-dialog",
        actions=button("Done", kind="primary", on_click=State.close),
        on_close=State.close,
    )


def _off() -> rx.Component:
    return dialog(
        State.dialog == "off",
        "Turn off 2FA?",
        callout("red", State.error),
        rx.el.p("From then on your password alone opens the portal. Your other browsers are signed out."),
        rx.el.form(
            password_input(
                "Your password",
                "password",
                id="off-password",
                error=_fault("password"),
                custom_attrs=autofocus_attrs(),
            ),
            code_input(_fault("code"), label="6-digit code or recovery code", id="off-code", max_length=40),
            id="off-form",
            on_submit=State.turn_off,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id="off-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Turn off 2FA", kind="danger", type="submit", busy=State.busy, custom_attrs={"form": "off-form"}),
        ),
        on_close=State.close,
        alert=True,
    )


def _fault(name: str) -> rx.Var[str]:
    return State.errors.get(name, "").to(str)
