"""`/outbox`: in a demo, what would have been mailed to its people. Elsewhere there is no such page."""

from typing import Any

import reflex as rx

from portal_app.mail.state import MailLine
from portal_app.mail.state import OutboxState as State
from portal_app.shell.help import help_text
from portal_app.shell.layout import document_title, not_found_content, offline, theme_switch
from portal_app.ui import Column, badge, cut, empty_state, icon, instant, link, pager, table
from portal_app.ui.brand import brand_sign
from portal_app.ui.letter import both_forms

COLUMNS = (
    Column("Subject", "name", width="45%"),
    Column("To", "text"),
    Column("State", "status"),
    Column("Time", "date"),
)


@rx.page(route="/outbox", title=document_title("Outbox"), on_load=State.load)
def outbox() -> rx.Component:
    """The list, or one mail."""
    return rx.fragment(rx.cond(State.missing, not_found_content(), _page()), offline())


def _page() -> rx.Component:
    return rx.el.main(
        rx.el.div(
            rx.el.div(brand_sign(), class_name="auth-brand"),
            rx.el.div(link("Sign in", href="/login"), theme_switch(), class_name="row"),
            class_name="row row-between",
        ),
        rx.cond(State.reading, _mail(), _list()),
        id="main",
        class_name="main outbox",
    )


def _list() -> rx.Component:
    return rx.fragment(
        rx.el.div(rx.el.h1("Outbox"), class_name="page-head"),
        help_text("outbox"),
        table(
            "Mail, newest first",
            COLUMNS,
            State.lines,
            _cells,
            row_key=lambda line: line["id"],
            loading=State.loading,
            reserve=8,
            empty=empty_state(
                "mail",
                "No mail yet",
                "Choose Forgot password on the sign-in page, or invite somebody: the mail appears here.",
            ),
            foot=pager(
                State.page,
                State.pages,
                State.size,
                on_size=State.resize,
                previous=_page_href(State.page - 1),
                next=_page_href(State.page + 1),
                by_link=True,
            ),
        ),
    )


def _page_href(number: Any) -> rx.Var[str]:
    return rx.Var.create(f"/outbox?page={number}&size={State.size}")


def _cells(line: rx.Var[MailLine]) -> list[Any]:
    return [
        link(line["subject"], href=line["href"], class_name="cut", title=line["subject"]),
        cut(line["to"]),
        badge(line["state_kind"], line["state"], title=line["fault"]),
        _time(line),
    ]


def _mail() -> rx.Component:
    return rx.fragment(
        rx.el.nav(link(icon("arrow-left"), "Outbox", href="/outbox"), class_name="crumbs", aria_label="Back"),
        rx.el.div(
            rx.el.h1(State.mail["subject"]),
            badge(State.mail["state_kind"], State.mail["state"], pill=True),
            class_name="page-head page-head-title",
        ),
        rx.el.dl(
            rx.el.div(rx.el.dt("To"), rx.el.dd(State.mail["to"])),
            rx.el.div(rx.el.dt("Time"), rx.el.dd(_time(State.mail))),
            rx.cond(State.mail["fault"] != "", rx.el.div(rx.el.dt("Delivery"), rx.el.dd(State.mail["fault"]))),
            class_name="facts card",
        ),
        rx.cond(
            State.html != "", both_forms(State.text, State.html), rx.el.p("The text of this mail is no longer kept.")
        ),
    )


def _time(line: rx.Var[MailLine]) -> rx.Component:
    return instant(line["queued"])
