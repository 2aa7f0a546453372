"""`/operator/mail` and `/operator/mail/[mail]`: what was decided to be mailed, whether or not it was taken."""

from typing import Any

import reflex as rx

from portal_app.models import MailState
from portal_app.operator.mail_rows import PATH
from portal_app.operator.mail_state import LetterLine
from portal_app.operator.mail_state import MailPageState as Mail
from portal_app.operator.mail_state import MailsState as State
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    Filter,
    badge,
    button,
    callout,
    confirm,
    cut,
    empty_state,
    icon,
    instant,
    link,
    link_button,
    listing,
    row_link,
)
from portal_app.ui.letter import both_forms

COLUMNS = (
    Column("Subject", "name", width="34%"),
    Column("To", "text", sort="recipient"),
    Column("State", "status", sort="state"),
    Column("Kind", "text", sort="kind", on_card=False),
    Column("Partner", "short", on_card=False),
    Column("Queued", "date", sort="id"),
)
STATES = {MailState.WAITING: "Waiting", MailState.SENT: "Sent", MailState.FAILED: "Failed"}


@operator_page(PATH, "Mail", load=State.load, help_topic="operator-mail")
def mails() -> rx.Component:
    """All mails of all partners."""
    return listing(
        State,
        "Mail",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=PATH,
        placeholder="Recipient",
        no_match=("No mail matches", "Another filter, or all of them.", "Show all mail"),
        filters=(
            Filter("Kind", "kind", State.kind, State.kinds),
            Filter("State", "state", State.state, {str(state): words for state, words in STATES.items()}),
            Filter("Partner", "partner", State.partner, State.partners),
        ),
        empty=empty_state("mail", "No mail yet", "Invitations, bills and reports stand here once they are queued."),
        linked=True,
        reserve=10,
    )


def _cells(line: rx.Var[LetterLine]) -> list[Any]:
    return [
        row_link(line["subject"], line["href"]),
        cut(line["to"]),
        badge(line["state_kind"], line["state"], title=line["fault"]),
        line["kind"],
        line["partner"],
        instant(line["queued"]),
    ]


@operator_page(f"{PATH}/[mail]", "Letter", load=Mail.load, help_topic="operator-mail")
def letter() -> rx.Component:
    """One mail."""
    show_all = link_button("Show all", href=PATH)
    gone = empty_state("mail", "There is no such mail", "The list has all of them.", show_all)
    bars = (rx.el.span(class_name="skeleton") for _ in range(5))
    waiting = rx.el.div(*bars, class_name="card stack", aria_busy="true")
    return rx.fragment(
        rx.el.nav(link(icon("arrow-left"), "All mail", href=PATH), class_name="crumbs", aria_label="Back"),
        rx.cond(Mail.missing, gone, rx.cond(Mail.ready, _letter(), waiting)),
    )


def _letter() -> rx.Component:
    line = Mail.mail
    return rx.el.div(
        rx.el.section(
            rx.el.div(
                rx.el.h2(line["subject"]),
                badge(line["state_kind"], line["state"], pill=True),
                class_name="row row-between",
            ),
            callout(rx.cond(line["may_drop"], "orange", "red"), line["fault"], live=False),
            _facts(line),
            rx.el.div(
                rx.cond(line["may_send"], button("Send again", kind="primary", busy=Mail.busy, on_click=Mail.send)),
                rx.cond(line["may_drop"], button("Drop", kind="danger", on_click=Mail.ask)),
                class_name="form-actions",
            ),
            class_name="card stack",
            aria_label="Mail",
        ),
        rx.cond(
            Mail.html != "",
            both_forms(Mail.text, Mail.html),
            rx.el.p("The text of this mail is no longer kept.", class_name="muted"),
        ),
        confirm(
            Mail.asking,
            "Drop this mail?",
            "It will not be sent. For some days it can still be sent again.",
            id="drop-mail",
            act="Drop mail",
            danger=True,
            on_confirm=Mail.drop,
            on_close=Mail.close,
            busy=Mail.busy,
        ),
        class_name="stack-l",
    )


def _facts(line: rx.Var[LetterLine]) -> rx.Component:
    texts = (
        ("To", line["to"]),
        ("Partner", line["partner"]),
        ("Kind", line["kind"]),
        ("Attempts", line["attempts"].to_string()),
    )
    times = (("Queued", line["queued"]), ("Next attempt", line["next"]), ("Finished", line["finished"]))
    return rx.el.dl(
        *(rx.cond(text != "", rx.el.div(rx.el.dt(label), rx.el.dd(text))) for label, text in texts),
        *(rx.cond(at["exact"] != "", rx.el.div(rx.el.dt(label), rx.el.dd(instant(at)))) for label, at in times),
        class_name="facts",
    )
