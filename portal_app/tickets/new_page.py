"""`/support/tickets/new`."""

import reflex as rx

from portal_app.shell.layout import portal_page
from portal_app.tickets.components import back, file_field, files_came, keeper, kept
from portal_app.tickets.new_state import AccountFound
from portal_app.tickets.new_state import NewTicketState as State
from portal_app.tickets.query import PATH
from portal_app.tickets.service import LONGEST_SUBJECT
from portal_app.tickets.words import TOPICS, URGENCIES
from portal_app.ui import (
    ask_for,
    button,
    callout,
    fault_in,
    focus_first_fault,
    link_button,
    option,
    search_input,
    select,
    text_area,
    text_input,
)
from portal_app.ui.field import error_line, hint_line

HINTS = {"low": "Low: whenever you find time", "normal": "Normal", "urgent": "Urgent: work stands still"}


@portal_page(f"{PATH}/new", "Open a Ticket", load=State.load, help_topic="tickets")
def new_ticket() -> rx.Component:
    """A question to the provider."""
    return rx.fragment(
        back(),
        rx.el.div(rx.el.h1("Open a Ticket"), class_name="page-head"),
        rx.cond(State.ready, rx.fragment(_form(), files_came(State)), _waiting()),
        rx.window_event_listener(on_popstate=State.answer),
    )


def _waiting() -> rx.Component:
    return rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true")


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", State.error),
        focus_first_fault(State.errors.length() > 0),
        rx.el.section(
            select(
                "Topic",
                "topic",
                [option("", "Choose a topic"), *(option(key, words) for key, words in TOPICS.items())],
                default_value=State.topic,
                error=_fault("topic"),
                required=True,
                custom_attrs=kept(),
            ),
            rx.cond(State.may_choose, _account()),
            text_input(
                "Subject",
                "subject",
                default_value=State.subject,
                error=_fault("subject"),
                required=True,
                auto_complete="off",
                max_length=LONGEST_SUBJECT,
                custom_attrs=kept(),
            ),
            text_area(
                "Your message",
                "text",
                error=_fault("text"),
                hint="What happened, when, and what you expected. Write no passwords here.",
                required=True,
                rows="8",
                custom_attrs=kept(),
            ),
            select(
                "Urgency",
                "urgency",
                [option(key, HINTS[key]) for key in URGENCIES],
                default_value="normal",
                error=_fault("urgency"),
                custom_attrs=kept(),
            ),
            file_field(State, f"{PATH}/files", 0),
            class_name="card stack",
            aria_label="Ticket",
        ),
        rx.el.div(
            link_button("Cancel", href=PATH),
            button("Send ticket", kind="primary", type="submit", busy=State.busy),
            class_name="form-actions",
        ),
        keeper(State.sent),
        on_submit=State.send,
        method="post",
        no_validate=True,
        class_name="form ticket-form",
    )


def _account() -> rx.Component:
    return rx.el.div(
        rx.el.span("Account", class_name="field-label", id="ticket-account"),
        rx.cond(State.account_id > 0, _chosen(), _search()),
        hint_line(
            "ticket-account", "Then only people who may see this account see the ticket. Leave it empty for none."
        ),
        error_line("ticket-account", _fault("account_id")),
        class_name="field",
        role="group",
        aria_labelledby="ticket-account",
    )


def _chosen() -> rx.Component:
    return rx.el.div(
        rx.el.span(State.account, class_name="strong cut", title=State.account),
        button("Choose another", small=True, on_click=ask_for(State.answer, "account")),
        class_name="row",
    )


def _search() -> rx.Component:
    return rx.fragment(
        search_input(
            "Search accounts",
            value=State.search,
            on_change=State.find,
            on_clear=State.find(""),
            placeholder="Name or email",
            name="account-search",
            id="account-search",
        ),
        rx.el.div(
            rx.cond(
                State.search != "",
                rx.cond(
                    State.found.length() > 0,
                    rx.el.ul(rx.foreach(State.found, _found), class_name="choice-list", aria_label="Accounts found"),
                    rx.el.p("No account matches.", class_name="muted"),
                ),
            ),
            aria_live="polite",
        ),
    )


def _found(line: rx.Var[AccountFound]) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.span(line["name"], class_name="strong"),
            " ",
            rx.el.span(line["email"], class_name="muted"),
            type="button",
            on_click=ask_for(State.answer, "account", line["id"].to_string()),
        ),
        key=line["id"],
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
