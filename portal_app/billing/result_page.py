"""`/billing/result`: where the processor's page leads back to."""

import reflex as rx

from portal_app.billing.payments import RESULT
from portal_app.billing.result_state import PaymentResultState as State
from portal_app.shell.layout import billing_page
from portal_app.ui import button, icon, link_button

BILLS = "/billing/unpaid"


@billing_page(RESULT, "Payment result", load=State.load, help_topic="unpaid-bills")
def result() -> rx.Component:
    """How a payment went."""
    return rx.el.section(
        rx.match(
            State.outcome,
            ("", rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true")),
            ("paid", _paid()),
            ("declined", _declined()),
            ("canceled", _canceled()),
            ("waiting", _waiting()),
            _none(),
        ),
        aria_live="polite",
    )


def _told(sign: str, look: str, title: rx.Var[str] | str, *parts: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.span(icon(sign, 20), class_name="empty-icon"), rx.el.h2(title), *parts, class_name=f"empty card {look}"
    )


def _actions(*actions: rx.Component) -> rx.Component:
    return rx.el.div(*actions, class_name="row")


def _paid() -> rx.Component:
    return _told(
        "circle-check",
        "is-green",
        "Payment received",
        rx.el.p("Thank you. ", State.amount, " was paid for invoice ", State.number, "."),
        _actions(
            link_button("Download Invoice", href=_document(), download=True, icon="download"),
            link_button("Back to Unpaid Bills", href=BILLS),
        ),
    )


def _declined() -> rx.Component:
    return _told(
        "circle-alert",
        "is-red",
        "The payment was declined",
        rx.el.p("Nothing was taken for invoice ", State.number, ". ", State.reason),
        _actions(link_button("Pay another way", href=_bill(), kind="primary")),
    )


def _canceled() -> rx.Component:
    return _told(
        "info",
        "",
        "The payment was canceled",
        rx.el.p("Nothing was taken. Invoice ", State.number, " is still open. ", State.reason),
        _actions(link_button("Back to the invoice", href=_bill(), kind="primary")),
    )


def _waiting() -> rx.Component:
    return _told(
        "info",
        "is-orange",
        "The payment isn't confirmed yet",
        rx.el.p(
            "The payment processor has not told us the outcome for invoice ",
            State.number,
            ". Don't pay again: it is asked for by itself, and the invoice shows it.",
        ),
        _actions(
            button("Check again", kind="primary", busy=State.checking, on_click=State.check),
            link_button("Back to the invoice", href=_bill()),
        ),
    )


def _none() -> rx.Component:
    return _told(
        "search-x",
        "",
        "There is no such payment",
        rx.el.p("It is unknown, or not yours to see."),
        _actions(link_button("Back to Unpaid Bills", href=BILLS)),
    )


def _bill() -> str | rx.Var[str]:
    return f"{BILLS}?search=" + State.number


def _document() -> str | rx.Var[str]:
    return "/billing/bills/" + State.number + ".pdf"
