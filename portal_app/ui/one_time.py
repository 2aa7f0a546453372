"""What is shown once or good once: a secret to copy; a second factor's QR code, its code, the recovery codes."""

import reflex as rx
from reflex.vars import FunctionStringVar

from portal_app.ui.base import button
from portal_app.ui.field import text_input
from portal_app.ui.kinds import Event, Text


def qr_code(path: rx.Var[str], side: rx.Var[int], label: str) -> rx.Component:
    """The QR code of an SVG path; dark on light in both themes, or no camera reads it."""
    return rx.el.svg(
        rx.el.svg.path(d=path),
        view_box=f"0 0 {side} {side}",
        role="img",
        aria_label=label,
        class_name="qr",
        custom_attrs={"shapeRendering": "crispEdges"},
    )


def code_input(error: Text, *, label: str = "6-digit code", **props: object) -> rx.Component:
    """The field for a code of an authenticator app; phones show the digits, browsers may fill it in."""
    given = {"input_mode": "numeric", "auto_complete": "one-time-code", "max_length": 12, "spell_check": False} | props
    return text_input(label, "code", error=error, **given)


def shown_once(title: str, text: Text, *, label: str, field: str, shown: rx.Var[bool], on_saved: Event) -> rx.Component:
    """A secret to copy now. Always there, or its field would not be when the secret comes; seen while it is `shown`."""
    return rx.el.section(
        rx.el.h2(title, custom_attrs={"role": "status"}),
        rx.el.p(text),
        rx.el.div(
            rx.el.label(label, html_for=field, class_name="hidden-text"),
            rx.el.input(id=field, read_only=True, auto_complete="off", spell_check=False, class_name="control mono"),
            button("Copy", icon="copy", on_click=FunctionStringVar.create(_copy(field))),
            button("I have saved it", on_click=on_saved),
            class_name="row copy-line",
        ),
        aria_label=f"New {label}",
        hidden=~shown,
        class_name="card stack",
    )


def _copy(field: str) -> str:
    # A page that is not on https has no clipboard but the old one.
    return (
        f"(() => {{ const field = document.getElementById({field!r}); field.select();"
        " if (navigator.clipboard) navigator.clipboard.writeText(field.value); else document.execCommand('copy'); })"
    )


def recovery_codes(codes: rx.Var[list[str]], text: rx.Var[str]) -> rx.Component:
    """The codes, which are never shown again, and three ways to keep them."""
    return rx.el.div(
        rx.el.ol(rx.foreach(codes, lambda code: rx.el.li(rx.el.code(code))), class_name="recovery-codes"),
        rx.el.div(
            button("Copy", icon="copy", small=True, on_click=rx.set_clipboard(text)),
            button("Print", icon="printer", small=True, on_click=rx.call_function(_PRINT)),
            button(
                "Download",
                icon="download",
                small=True,
                on_click=rx.download(data=_as_address(text), filename="recovery-codes.txt"),
            ),
            class_name="row no-print",
        ),
        class_name="stack",
    )


def _as_address(text: rx.Var[str]) -> rx.Var[str]:
    # Anything that is no address yet would be downloaded as JSON, in quotes.
    return "data:text/plain;charset=utf-8," + FunctionStringVar.create("encodeURIComponent").call(text).to(str)


_PRINT = FunctionStringVar.create("(() => window.print())")
