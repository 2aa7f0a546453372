"""`/support`."""

import reflex as rx

from portal_app.shell.layout import portal_page
from portal_app.support.state import PATH, Card, Line
from portal_app.support.state import SupportState as State
from portal_app.tickets.lines import TicketLine
from portal_app.tickets.query import PATH as TICKETS
from portal_app.ui import ask_for, badge, empty_state, link, link_button, search_input


@portal_page(PATH, "Support", load=State.load, help_topic="support")
def support() -> rx.Component:
    """Help, and who to turn to."""
    return rx.fragment(
        rx.el.div(rx.el.h1("Support"), class_name="page-head"),
        rx.el.div(
            rx.el.div(_search(), _found(), class_name="stack"),
            rx.el.div(_tickets(), _contact(), _legal(), class_name="stack"),
            class_name="with-aside",
        ),
        rx.window_event_listener(on_popstate=State.answer),
    )


def _search() -> rx.Component:
    def asked(words: rx.Var[str] | str = "") -> object:
        return ask_for(State.answer, "q", words, without=("topic",), path=PATH)

    return search_input(
        "Search articles",
        value=State.q,
        on_change=asked,
        on_clear=asked(),
        placeholder="What do you need help with?",
        name="article-search",
        id="article-search",
    )


def _found() -> rx.Component:
    none = empty_state(
        "search-x",
        "No article matches",
        "Try other words, or ask us: the ways to reach us are on this page.",
        link_button("Show all topics", href=PATH, load=State.answer),
    )
    listed = rx.el.ul(rx.foreach(State.lines, _line), class_name="card reading-list")
    cards = rx.el.div(rx.foreach(State.cards, _card), class_name="card-grid")
    bones = rx.el.div(*(rx.el.div(class_name="card skeleton topic-bone") for _ in range(4)), class_name="card-grid")
    lines = rx.cond(State.lines.length() > 0, listed, none)
    return rx.el.section(
        rx.el.div(
            rx.el.h2(rx.cond(State.loading, "Help topics", State.heading), custom_attrs={"aria-live": "polite"}),
            rx.cond(State.heading != "Help topics", link("All topics", href=PATH, load=State.answer)),
            class_name="toolbar",
        ),
        rx.cond(State.loading, bones, rx.cond(State.cards.length() > 0, cards, lines)),
        class_name="stack",
    )


def _line(line: rx.Var[Line]) -> rx.Component:
    return rx.el.li(link(line["title"], href=line["href"]), rx.el.p(line["text"]))


def _card(card: rx.Var[Card]) -> rx.Component:
    articles = rx.foreach(
        card["articles"].to(list[Line]), lambda line: rx.el.li(link(line["title"], href=line["href"]))
    )
    return rx.el.section(
        rx.el.h3(link(card["title"], href=card["href"], load=State.answer)),
        rx.el.ul(articles),
        rx.cond(card["more"], link(card["more"], href=card["href"], load=State.answer)),
        class_name="card stack-s topic",
    )


def _tickets() -> rx.Component:
    own = rx.el.section(
        rx.el.h2("Tickets"),
        rx.el.div(link_button("Open a Ticket", href=f"{TICKETS}/new", kind="primary"), class_name="row"),
        rx.cond(
            State.tickets.length() > 0,
            rx.fragment(
                rx.el.ul(rx.foreach(State.tickets, _ticket), class_name="plain"), link("My Tickets", href=TICKETS)
            ),
        ),
        class_name="card stack-s",
        aria_label="Tickets",
    )
    return rx.cond(State.may_ask, own)


def _ticket(line: rx.Var[TicketLine]) -> rx.Component:
    return rx.el.li(link(line["title"], href=line["href"]), " ", badge(line["state_kind"], line["state"]))


def _contact() -> rx.Component:
    ways = rx.el.dl(rx.foreach(State.ways, _way), class_name="ways")
    return rx.el.section(rx.el.h2("Contact"), ways, class_name="card", aria_label="Contact")


def _way(way: rx.Var[Line]) -> rx.Component:
    return rx.el.div(rx.el.dt(way["title"]), rx.el.dd(link(way["text"], href=way["href"], external=True)))


def _legal() -> rx.Component:
    entries = rx.foreach(State.legal, lambda one: rx.el.li(link(one["title"], href=one["href"], external=True)))
    return rx.el.section(
        rx.el.h2("Privacy and security"), rx.el.ul(entries, class_name="plain"), class_name="card", aria_label="Legal"
    )
