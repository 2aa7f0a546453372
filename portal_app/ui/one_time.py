"""What sets up and stands in for a second factor: the QR code, the code's field, the recovery codes."""

import reflex as rx
from reflex.vars import FunctionStringVar

from portal_app.ui.base import button
from portal_app.ui.field import text_input
from portal_app.ui.kinds import Text


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
