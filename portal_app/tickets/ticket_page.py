"""`/support/tickets/[ticket_id]`."""

import reflex as rx

from portal_app.shell.layout import portal_page
from portal_app.tickets.components import back, conversation, file_field, files_came, keeper, kept, turn
from portal_app.tickets.query import PATH
from portal_app.tickets.ticket_state import OwnTicketState as State
from portal_app.ui import (
    badge,
    button,
    callout,
    empty_state,
    fault_in,
    focus_first_fault,
    instant,
    link,
    link_button,
    text_area,
)


@portal_page(f"{PATH}/[ticket_id]", "Ticket", load=State.load, help_topic="tickets")
def ticket() -> rx.Component:
    """One ticket: the conversation, and the form below it."""
    return rx.fragment(
        back(),
        rx.cond(State.missing, _missing(), rx.cond(State.ready, _ticket(), _waiting())),
    )


def _missing() -> rx.Component:
    return empty_state(
        "life-buoy",
        "There is no such ticket",
        "It is a colleague's, or about an account that you may not see.",
        link_button("Show my tickets", href=PATH),
    )


def _waiting() -> rx.Component:
    return rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true")


def _ticket() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                rx.el.h1("#", State.number, " ", State.subject),
                badge(State.state_kind, State.state, pill=True),
                class_name="row ticket-title",
            ),
            rx.cond(
                State.closed,
                rx.fragment(),
                rx.el.div(button("Close ticket", on_click=State.close), class_name="page-actions"),
            ),
            class_name="page-head",
        ),
        _facts(),
        conversation(State.messages),
        _form(),
        files_came(State),
        class_name="stack ticket",
    )


def _facts() -> rx.Component:
    account = rx.cond(
        State.account_href != "",
        link(State.account, href=State.account_href),
        rx.cond(State.account != "", State.account, "None"),
    )
    told = {
        "Topic": State.topic,
        "Urgency": State.urgency,
        "Account": account,
        "Opened by": State.opened_by,
        "Opened": instant(State.opened),
    }
    return rx.el.dl(
        *(rx.el.div(rx.el.dt(label), rx.el.dd(value)) for label, value in told.items()), class_name="facts card"
    )


def _form() -> rx.Component:
    return rx.el.form(
        callout("orange", State.news),
        callout("red", State.error),
        focus_first_fault(State.errors.length() > 0),
        rx.el.section(
            text_area(
                "Your message",
                "text",
                error=fault_in(State.errors, "text"),
                hint=rx.cond(State.closed, "This ticket is closed. Your message opens it again.", ""),
                rows="5",
                custom_attrs=kept(),
            ),
            file_field(State, f"{PATH}/files", State.number),
            rx.el.div(button("Send", kind="primary", type="submit", busy=State.busy), class_name="row"),
            class_name="card stack",
            aria_label="Reply",
        ),
        turn(State),
        keeper(State.sent),
        on_submit=State.send,
        method="post",
        no_validate=True,
        class_name="form ticket-form",
    )
