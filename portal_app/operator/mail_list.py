"""The outbox of all partners, as operators see it: looked for, read without its links, sent again, dropped."""

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.errors import Conflict, NotFound
from portal_app.mail import outbox, reading
from portal_app.mail.letter import Letter
from portal_app.mail.reading import NOT_FOUND, Reading
from portal_app.models import MailState, OutboxMail, Partner
from portal_app.operator.mail_rows import MailPage, MailQuery, SentMail
from portal_app.text import email_fault, searchable

HIDDEN = "[link hidden]"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_ID = col(OutboxMail.id)
_ORDERS = {
    "id": _ID,
    "recipient": col(OutboxMail.recipient),
    "kind": col(OutboxMail.kind),
    "state": col(OutboxMail.state),
}


def page(session: Session, actor: Actor, query: MailQuery) -> MailPage:
    """A page of mails. Raises Denied."""
    actor.require_provider()
    where = _where(query)
    first = _ORDERS[query.sort]
    order = [one.desc() if query.descending else one.asc() for one in dict.fromkeys([first, _ID])]
    # The ids first: only the page's own rows are looked at whole.
    ids = session.scalars(
        select(_ID).where(*where).order_by(*order).offset((query.page - 1) * query.size).limit(query.size)
    ).all()
    found = {mail.id: _row(mail, partner) for mail, partner in session.execute(_rows().where(_ID.in_(ids)))}
    matching = session.scalar(select(func.count()).select_from(OutboxMail).where(*where)) or 0
    total = (session.scalar(select(func.count()).select_from(OutboxMail)) or 0) if where else matching
    return MailPage([found[number] for number in ids], matching, total)


def kinds(session: Session, actor: Actor) -> list[str]:
    """The kinds of mail that there are. Raises Denied."""
    actor.require_provider()
    return list(session.scalars(select(OutboxMail.kind).distinct().order_by(OutboxMail.kind)))


def one(session: Session, actor: Actor, mail_id: int) -> SentMail:
    """A mail's envelope. Raises Denied and NotFound."""
    actor.require_provider()
    found = session.execute(_rows().where(mail_id == _ID)).first()
    if found is None:
        raise NotFound(NOT_FOUND)
    return _row(*found)


def read(session: Session, actor: Actor, mail_id: int) -> Reading:
    """What a mail says, which is audited. Raises Denied and NotFound.

    Whoever follows a link of an invitation or of a forgotten password signs in as its recipient: outside the demo's own
    mail no link is told to anybody.
    """
    mail = _locked(session, actor, mail_id)
    letter = reading.letter_in(mail)
    if letter is not None and not reading.is_open(session, mail_id):
        letter = without_links(letter)
    _note(session, actor, mail, "read")
    return reading.reading_of(mail, letter)


def without_links(letter: Letter) -> Letter:
    """The letter with every address in it hidden, and its button."""
    button = (f"{letter.action[0]}: {HIDDEN}",) if letter.action else ()
    return replace(
        letter,
        paragraphs=(*map(_hide, letter.paragraphs), *button),
        action=None,
        small=tuple(map(_hide, letter.small)),
        items=tuple((_hide(name), "", _hide(remark)) for name, _, remark in letter.items),
    )


def send_again(session: Session, actor: Actor, mail_id: int) -> None:
    """Let a mail that was given up be tried anew. Raises Denied, NotFound and Conflict."""
    mail = _locked(session, actor, mail_id)
    if not _may_send(mail) or not outbox.revive(session, mail_id):
        raise Conflict("This mail can't be sent again: it isn't given up, or its text is no longer kept.")
    _note(session, actor, mail, "sent again")


def drop(session: Session, actor: Actor, mail_id: int) -> None:
    """Give a mail up that waits. Raises Denied, NotFound, and Conflict when it is sent or being sent."""
    mail = _locked(session, actor, mail_id)
    if mail.state != MailState.WAITING:
        raise Conflict("This mail doesn't wait any more.")
    if not outbox.drop(session, mail_id):
        raise Conflict("This mail is being sent just now. Look again in some minutes.")
    _note(session, actor, mail, "dropped")


def _where(query: MailQuery) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if query.kind:
        parts.append(col(OutboxMail.kind) == query.kind)
    if query.state:
        parts.append(col(OutboxMail.state) == query.state)
    if query.partner:
        owner = select(col(Partner.id)).where(col(Partner.code) == query.partner).scalar_subquery()
        parts.append(col(OutboxMail.partner_id) == owner)
    if words := searchable(query.search):
        # Apart, so that an index with the addresses is read instead of all letters.
        parts.append(_ID.in_(select(_ID).where(col(OutboxMail.recipient).icontains(words, autoescape=True))))
    return parts


def _rows() -> Select[*tuple[Any, ...]]:
    rows = select(OutboxMail, func.coalesce(Partner.code, "")).options(defer(col(OutboxMail.sealed)))
    return rows.outerjoin(Partner, col(Partner.id) == col(OutboxMail.partner_id))


def _row(mail: OutboxMail, partner: str) -> SentMail:
    head = reading.row_of(mail)
    waits = mail.state == MailState.WAITING
    return SentMail(
        id=head.id,
        to=head.to,
        subject=head.subject,
        kind=mail.kind,
        state=head.state,
        state_kind=head.state_kind,
        fault=mail.fault,
        partner=partner,
        attempts=mail.attempts,
        queued_at=mail.queued_at,
        next_at=mail.next_at if waits and mail.attempts else None,
        finished_at=mail.finished_at,
        may_send=_may_send(mail),
        may_drop=waits,
    )


def _may_send(mail: OutboxMail) -> bool:
    # An ended one is looked at again when its text is to go; afterwards there is nothing to send.
    return mail.state == MailState.FAILED and mail.next_at is not None and not email_fault(mail.recipient)


def _hide(text: str) -> str:
    return _ADDRESS.sub(HIDDEN, text)


def _locked(session: Session, actor: Actor, mail_id: int) -> OutboxMail:
    actor.require_provider()
    mail = session.scalars(select(OutboxMail).where(mail_id == _ID).with_for_update()).first()
    if mail is None:
        raise NotFound(NOT_FOUND)
    return mail


def _note(session: Session, actor: Actor, mail: OutboxMail, what: str) -> None:
    """Into the provider's audit, and into that of the partner whose mail it is."""
    for side in dict.fromkeys((None, mail.partner_id)):
        told = f"Mail {mail.id} ({mail.kind}) to {mail.recipient} {what}"
        record(session, actor, Activity.NOTIFICATION, told, partner_id=side)
