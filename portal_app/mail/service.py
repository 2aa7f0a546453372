"""Queues mail in the transaction of the change that causes it; what is sent is another's work (`delivery`)."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from portal_app import clock, crypto, db
from portal_app.mail.letter import Letter, pack
from portal_app.models import MailState, OutboxMail
from portal_app.settings import settings
from portal_app.text import EMAIL_LENGTH, ascii_domain, email_fault, has_control

SUBJECT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class NewMail:
    """A letter to one address. `kind` is a word for lists; `once` a key under which only one is ever queued.

    `partner_id` says whose mail it is: without it nobody but the provider may ever read it.
    """

    to: str
    letter: Letter
    kind: str
    partner_id: int | None = None
    once: str | None = None


def queue(
    session: Session, to: str, letter: Letter, *, kind: str, partner_id: int | None = None, once: str | None = None
) -> None:
    """Store a mail with the caller's change: it will be sent if, and only if, that change is committed."""
    queue_all(session, [NewMail(to, letter, kind, partner_id, once)])


def queue_all(session: Session, mails: Iterable[NewMail]) -> None:
    """`queue` for many, in one statement. A mail whose `once` was queued before is left out."""
    if rows := [_row(mail) for mail in mails]:
        insert = db.insert(session, OutboxMail.__table__)
        session.execute(insert.on_conflict_do_nothing(index_elements=["once"]), rows)


def place_of(mail: OutboxMail) -> str:
    """The binding under which the row's letter is sealed."""
    return _place(mail.partner_id, mail.message_id)


def sender() -> str:
    """The address that mail comes from."""
    return settings().smtp_from or settings().support_email


def _row(mail: NewMail) -> dict[str, Any]:
    now = clock.now()
    # Made here and kept: every attempt sends the same message, and a mail program that gets it twice can tell.
    message_id = f"<{secrets.token_hex(16)}@{ascii_domain(sender())}>"
    # One address that can't be written to must not undo the change, nor stop the mail to everybody else.
    fault = email_fault(mail.to)
    return {
        "message_id": message_id,
        "kind": mail.kind,
        "partner_id": mail.partner_id,
        "recipient": _one_line(mail.to, EMAIL_LENGTH),
        "subject": _one_line(mail.letter.subject, SUBJECT_LENGTH),
        "sealed": crypto.seal(pack(mail.letter), binding=_place(mail.partner_id, message_id)),
        "state": MailState.FAILED if fault else MailState.WAITING,
        "attempts": 0,
        "claim": "",
        "fault": "This is not an address that mail can be sent to." if fault else "",
        "once": mail.once,
        "queued_at": now,
        "next_at": now,  # a failed one is blanked by the next pruning
        "finished_at": now if fault else None,
    }


def _place(partner_id: int | None, message_id: str) -> str:
    return crypto.binding(partner_id or 0, "outbox_mail", message_id, "sealed")


def _one_line(text: str, length: int) -> str:
    """Without line breaks and control characters, which could begin a header of their own."""
    words = " ".join("".join(" " if has_control(char) else char for char in text).split())
    return words if len(words) <= length else words[: length - 1] + "…"
