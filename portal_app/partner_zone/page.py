"""`/partner-zone` and `/partner-zone/[piece]`."""

import reflex as rx

from portal_app.partner_zone.state import PATH, Download, PartnerZoneState, Piece, PieceState
from portal_app.shell.layout import portal_page
from portal_app.ui import empty_state, icon, link, link_button
from portal_app.ui.reading import back_link, reading, reading_bones


@portal_page(PATH, "Partner Zone", load=PartnerZoneState.load, help_topic="partner-zone")
def partner_zone() -> rx.Component:
    """All pieces."""
    none = empty_state("file-x", "Nothing here yet", "Texts and files that help you to sell will stand here.")
    cards = rx.el.div(rx.foreach(PartnerZoneState.pieces, _card), class_name="card-grid")
    return rx.fragment(
        rx.el.div(
            rx.el.h1("Partner Zone"),
            rx.el.p("Texts and files that help you to sell. Use them as they are, or make them your own."),
            class_name="page-head",
        ),
        rx.cond(PartnerZoneState.loading, reading_bones(), rx.cond(PartnerZoneState.pieces.length() > 0, cards, none)),
    )


def _card(piece: rx.Var[Piece]) -> rx.Component:
    return rx.el.section(
        rx.cond(piece["preview"], rx.el.img(src=piece["preview"], alt="", class_name="piece-preview", loading="lazy")),
        rx.el.p(piece["section"], class_name="muted"),
        rx.el.h2(link(piece["title"], href=piece["href"])),
        rx.el.p(piece["summary"]),
        rx.cond(piece["files"], rx.el.p(icon("download"), piece["files"], class_name="row muted")),
        class_name="card stack-s piece",
    )


@portal_page(f"{PATH}/[piece]", "Partner Zone", load=PieceState.load, help_topic="partner-zone")
def piece() -> rx.Component:
    """One piece."""
    gone = empty_state(
        "search-x",
        "There is no such page",
        "It may have been taken back.",
        link_button("Show the Partner Zone", href=PATH),
    )
    return rx.fragment(
        back_link("Partner Zone", PATH),
        rx.match(PieceState.phase, ("missing", gone), ("shown", _piece()), reading_bones()),
    )


def _piece() -> rx.Component:
    head = rx.cond(PieceState.summary, rx.el.p(PieceState.summary, class_name="lead"))
    downloads = rx.cond(
        PieceState.downloads.length() > 0,
        rx.el.section(
            rx.el.h2("Downloads"),
            rx.el.ul(rx.foreach(PieceState.downloads, _download), class_name="plain"),
            class_name="card",
            aria_label="Downloads",
        ),
    )
    picture = rx.el.img(src=PieceState.preview, alt="Preview of the first page", class_name="piece-preview")
    preview = rx.cond(PieceState.preview, picture)
    return reading(PieceState.title, PieceState.body, head=head, aside=rx.fragment(downloads, preview))


def _download(one: rx.Var[Download]) -> rx.Component:
    return rx.el.li(
        link(icon("download"), one["name"], href=one["href"], external=True, download=True, class_name="row"),
        rx.el.span(one["size"], class_name="muted"),
        class_name="row",
    )
