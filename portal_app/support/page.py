"""`/support`."""

from collections.abc import Iterator

import reflex as rx

from portal_app.brand import brand
from portal_app.shell.layout import portal_page
from portal_app.support.state import PATH, Card, Line
from portal_app.support.state import SupportState as State
from portal_app.ui import ask_for, empty_state, link, link_button, search_input


@portal_page(PATH, "Support", load=State.load, help_topic="support")
def support() -> rx.Component:
    """Help, and who to turn to."""
    return rx.fragment(
        rx.el.div(rx.el.h1("Support"), class_name="page-head"),
        rx.el.div(
            rx.el.div(_search(), _found(), class_name="stack"),
            rx.el.div(_contact(), _legal(), class_name="stack"),
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


def _contact() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Contact"), rx.el.dl(*_ways(), class_name="ways"), class_name="card", aria_label="Contact"
    )


def _ways() -> Iterator[rx.Component]:
    ours = brand()
    for what, phone in ours.support_phones:
        yield from _way(what or "Phone", phone, f"tel:{phone.replace(' ', '')}")
    for what, email in ours.support_emails or (("", ours.support_email),):
        yield from _way(what or "Email", email, f"mailto:{email}")
    if ours.chat_url:
        yield from _way("Chat", "Open the chat", ours.chat_url)


def _way(what: str, words: str, href: str) -> tuple[rx.Component, rx.Component]:
    return rx.el.dt(what), rx.el.dd(link(words, href=href, external=True))


def _legal() -> rx.Component:
    ours = brand()
    places = (
        ("Privacy", ours.privacy_url or "/support/articles/privacy"),
        ("Security", ours.security_url or "/support/articles/how-data-is-protected"),
        *([("Terms of use", ours.terms_url)] if ours.terms_url else []),
    )
    entries = (rx.el.li(link(words, href=href, external=not href.startswith("/"))) for words, href in places)
    return rx.el.section(
        rx.el.h2("Privacy and security"), rx.el.ul(*entries, class_name="plain"), class_name="card", aria_label="Legal"
    )
