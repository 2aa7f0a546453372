"""`/operator/tickets/[ticket_id]`: one ticket, answered."""

import reflex as rx

from portal_app.shell.layout import operator_page
from portal_app.tickets.components import conversation, file_field, files_came, keeper, kept, turn
from portal_app.tickets.desk_state import ANSWER, NOTE
from portal_app.tickets.desk_state import OperatorTicketState as State
from portal_app.tickets.query import QUEUE
from portal_app.tickets.words import STATES
from portal_app.ui import (
    badge,
    button,
    callout,
    checkbox,
    empty_state,
    fault_in,
    focus_first_fault,
    instant,
    link,
    link_button,
    option,
    radio_group,
    select,
    text_area,
)


@operator_page(f"{QUEUE}/[ticket_id]", "Ticket", load=State.load, help_topic="operator-tickets")
def ticket() -> rx.Component:
    """One ticket of any partner."""
    return rx.cond(State.missing, _missing(), rx.cond(State.ready, _ticket(), _waiting()))


def _missing() -> rx.Component:
    return empty_state(
        "life-buoy",
        "There is no such ticket",
        "Look for it in the queue.",
        link_button("Show all tickets", href=QUEUE),
    )


def _waiting() -> rx.Component:
    return rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true")


def _ticket() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h2("#", State.number, " ", State.subject),
            badge(State.state_kind, State.state_words, pill=True),
            class_name="row ticket-title",
        ),
        _facts(),
        _charge(),
        conversation(State.messages),
        _form(),
        files_came(State),
        class_name="stack ticket",
    )


def _facts() -> rx.Component:
    told = {
        "Partner": link(State.partner, " · ", State.partner_name, href="/operator/partners/" + State.partner),
        "Account": rx.cond(State.account != "", State.account, "None"),
        "Opened by": State.opened_by,
        "Opened": instant(State.opened),
        "Topic": State.topic,
        "Urgency": State.urgency,
    }
    return rx.el.dl(
        *(rx.el.div(rx.el.dt(label), rx.el.dd(value)) for label, value in told.items()), class_name="facts card"
    )


def _charge() -> rx.Component:
    return rx.el.section(
        select(
            "Assigned to",
            "assigned",
            State.operators,
            value=State.assigned,
            on_change=State.assign,
            error=_fault("assigned"),
        ),
        select(
            "State",
            "state",
            [option(key, words) for key, (words, _) in STATES.items()],
            value=State.state,
            on_change=State.set_state,
            error=_fault("state"),
        ),
        link_button("Tickets of this partner", href=f"{QUEUE}?partner=" + State.partner),
        class_name="card ticket-charge",
        aria_label="In charge",
    )


def _form() -> rx.Component:
    return rx.el.form(
        callout("orange", State.news),
        callout("red", State.error),
        focus_first_fault(State.errors.length() > 0),
        rx.el.section(
            radio_group(
                "What you write",
                "kind",
                [
                    option(ANSWER, "Answer", "The partner reads it, here and by mail."),
                    option(NOTE, "Internal note", "Only operators see it."),
                ],
                value=State.kind,
                on_change=State.choose_kind,
            ),
            text_area(
                rx.cond(State.kind == NOTE, "Internal note", "Answer"),
                "text",
                error=_fault("text"),
                rows="6",
                custom_attrs=kept(),
            ),
            file_field(State, f"{QUEUE}/files", State.number),
            rx.cond(State.kind == NOTE, rx.fragment(), checkbox("Close the ticket", "close")),
            rx.el.div(
                button(
                    rx.cond(State.kind == NOTE, "Keep note", "Send answer"),
                    kind="primary",
                    type="submit",
                    busy=State.busy,
                ),
                class_name="row",
            ),
            class_name=rx.cond(State.kind == NOTE, "card stack is-note", "card stack"),
            aria_label="Reply",
        ),
        turn(State),
        keeper(State.sent),
        on_submit=State.send,
        method="post",
        no_validate=True,
        class_name="form ticket-form",
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
