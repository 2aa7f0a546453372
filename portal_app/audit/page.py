"""`/security-audit`."""

import reflex as rx

from portal_app.audit.components import audit_table, export_button
from portal_app.audit.query import PATH
from portal_app.audit.state import AuditState
from portal_app.shell.layout import portal_page


@portal_page(PATH, "Security Audit", load=AuditState.load, help_topic="security-audit")
def security_audit() -> rx.Component:
    """Who did what, when, from where."""
    return rx.fragment(
        rx.el.div(
            rx.el.h1("Security Audit"),
            rx.el.div(export_button(AuditState, PATH), class_name="page-actions"),
            class_name="page-head",
        ),
        audit_table(AuditState, PATH),
        rx.window_event_listener(on_popstate=AuditState.answer),
    )
