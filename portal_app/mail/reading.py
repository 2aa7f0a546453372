"""Mails as their readers see them. To everybody a demo shows its own only: mail to people who do not exist."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from portal_app.demo.people import PEOPLE
from portal_app.deployment import is_demo
from portal_app.errors import NotFound, PortalError
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.mail.outbox import letter_of
from portal_app.mail.render import html_of, text_of
from portal_app.models import MailState, OutboxMail, Partner
from portal_app.paging import pages_of
from portal_app.settings import settings

NOT_FOUND = "There is no such mail."


@dataclass(frozen=True, slots=True)
class MailRow:
    """One mail of the list; `state` and its kind in words and colour."""

    id: int
    to: str
    subject: str
    state: str
    state_kind: str
    fault: str
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of the text; with the path that it leads to, if it is an address of the portal."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One mail as its reader sees it; without lines and html when its text is gone."""

    row: MailRow
    lines: list[TextLine]
    html: str


@dataclass(frozen=True, slots=True)
class MailPage:
    """A page of the list, newest first."""

    rows: list[MailRow]
    number: int
    pages: int


def page_of(session: Session, number: int, size: int) -> MailPage:
    """The page that was asked for, or the last one there is. NotFound outside a demo."""
    _require_demo(session)
    total = session.exec(select(func.count()).select_from(OutboxMail).where(_readable())).one()
    pages = pages_of(total, size)
    number = min(number, pages)
    newest = select(OutboxMail).where(_readable()).order_by(col(OutboxMail.id).desc())
    return MailPage(
        [row_of(mail) for mail in session.exec(newest.offset((number - 1) * size).limit(size))], number, pages
    )


def read(session: Session, mail_id: int) -> Reading:
    """One mail. NotFound when there is none, when it is not the demo's, and outside a demo."""
    _require_demo(session)
    mail = session.exec(select(OutboxMail).where(col(OutboxMail.id) == mail_id, _readable())).first()
    if mail is None:
        raise NotFound(NOT_FOUND)
    return reading_of(mail, letter_in(mail))


def letter_in(mail: OutboxMail) -> Letter | None:
    """What the mail says; None when that is no longer kept, or can't be opened."""
    try:
        return letter_of(mail)
    except PortalError:
        return None


def reading_of(mail: OutboxMail, letter: Letter | None) -> Reading:
    """The mail as its reader sees it, with this letter."""
    if letter is None:
        return Reading(row_of(mail), [], "")
    return Reading(row_of(mail), _lines(letter), html_of(letter, preview=True))


def is_open(session: Session, mail_id: int) -> bool:
    """Whether the mail is the demo's own, which everybody may read whole."""
    mine = select(OutboxMail.id).where(col(OutboxMail.id) == mail_id, _readable())
    return is_demo(session) and session.exec(mine).first() is not None


def _require_demo(session: Session) -> None:
    if not is_demo(session):
        raise NotFound(NOT_FOUND)


def _readable() -> ColumnElement[bool]:
    # Mail of nobody's is read only when it goes to one of the published people: the demo's operator has no partner.
    of_demo = select(Partner.id).where(col(Partner.is_demo))
    to_published = col(OutboxMail.recipient).in_([person.email for person in PEOPLE])
    return or_(
        col(OutboxMail.partner_id).in_(of_demo),
        col(OutboxMail.partner_id).is_(None) & to_published,
    )


def _lines(letter: Letter) -> list[TextLine]:
    return [_text_line(line.rstrip(), line.strip()) for line in text_of(letter).splitlines()]


def _text_line(text: str, bare: str) -> TextLine:
    # Followed where the reader is already: a demo is often reached under another name than its setting says.
    path = bare.removeprefix(absolute("/"))
    return TextLine(bare, f"/{path}") if path != bare else TextLine(text, "")


def row_of(mail: OutboxMail) -> MailRow:
    """The envelope, its state in words."""
    state, kind = _state(mail)
    return MailRow(mail.id or 0, mail.recipient, mail.subject, state, kind, mail.fault, mail.queued_at)


def _state(mail: OutboxMail) -> tuple[str, str]:
    if mail.state == MailState.SENT:
        return "Sent", "green"
    if mail.state == MailState.FAILED:
        return "Failed", "red"
    if mail.fault:
        return "Trying again", "orange"
    return ("Waiting" if settings().smtp_host else "Kept here"), "grey"
