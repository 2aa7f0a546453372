"""`/operator/audit`."""

import reflex as rx

from portal_app.audit.components import audit_table, export_button
from portal_app.audit.operator_state import OperatorAuditState as State
from portal_app.audit.query import OPERATOR_PATH
from portal_app.shell.layout import operator_page
from portal_app.ui import link_button


@operator_page(OPERATOR_PATH, "Audit", load=State.load, help_topic="operator-audit")
def operator_audit() -> rx.Component:
    """Who of the provider did what; or what happened at a partner."""
    whose = rx.cond(
        State.partner == "",
        "What operators and commands did, and the provider's own sign-ins.",
        "The audit of partner " + State.partner + ", as its own people see it.",
    )
    return rx.fragment(
        rx.el.div(
            rx.el.p(whose, class_name="muted"),
            rx.el.div(
                rx.cond(
                    State.partner != "",
                    link_button("Open the partner", href="/operator/partners/" + State.partner),
                    rx.fragment(),
                ),
                export_button(State, OPERATOR_PATH),
                class_name="row",
            ),
            class_name="row row-between",
        ),
        audit_table(State, OPERATOR_PATH),
        rx.window_event_listener(on_popstate=State.answer),
    )
