"""The outbox as its deliverers see it: who sends what, and what came of it.

A deliverer claims a mail by writing the instant at which others may try it: a lease. Whoever dies leaves the mail to
the next one, after the lease; whoever comes back too late changes nothing, because the claim is another's by then.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select, update

from portal_app import clock, crypto
from portal_app.mail.letter import Letter, unpack
from portal_app.mail.service import place_of
from portal_app.models import MailState, OutboxMail

LEASE = timedelta(minutes=5)
GIVE_UP = timedelta(days=4)
KEEP_TEXT = timedelta(days=7)
KEEP_UNSENT = timedelta(days=30)
DROPPED = "An operator dropped it."
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)

_WAITS = col(OutboxMail.state) == MailState.WAITING
_random = secrets.SystemRandom()


def is_due(session: Session, now: datetime) -> bool:
    """Whether there is something to send: one look into an index."""
    due = select(OutboxMail.id).where(_WAITS, col(OutboxMail.next_at) <= now)
    return session.exec(due.order_by(col(OutboxMail.next_at)).limit(1)).first() is not None


def claim(session: Session, now: datetime) -> OutboxMail | None:
    """The mail that waits longest, now the caller's until the lease ends; None when nothing is due."""
    mail = session.exec(
        select(OutboxMail)
        .where(_WAITS, col(OutboxMail.next_at) <= now)
        .order_by(col(OutboxMail.next_at), col(OutboxMail.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if mail is not None:
        mail.claim, mail.attempts, mail.next_at = secrets.token_hex(8), mail.attempts + 1, now + LEASE
    return mail


def give_up(session: Session, now: datetime) -> None:
    """End what is due and too old: what it says is no longer true, and its links are dead."""
    old = (_WAITS, col(OutboxMail.next_at) <= now, col(OutboxMail.queued_at) <= now - GIVE_UP)
    fault = f"No mail server took it within {GIVE_UP.days} days."
    session.execute(update(OutboxMail).where(*old).values(_ended(MailState.FAILED, fault)))


def sent(session: Session, mail: OutboxMail) -> None:
    """The mail server took it."""
    _settle(session, mail, _ended(MailState.SENT))


def failed(session: Session, mail: OutboxMail, fault: str) -> None:
    """It will never be taken; `fault` says why in words."""
    _settle(session, mail, _ended(MailState.FAILED, fault))


def again_later(session: Session, mail: OutboxMail, fault: str) -> None:
    """Try it again, after longer each time."""
    next_at = clock.now() + delay_after(mail.attempts)
    _settle(session, mail, {"fault": fault, "next_at": next_at, "claim": ""})


def put_back(session: Session, mail: OutboxMail, fault: str) -> None:
    """The mail was not the cause: it is as due as before, behind the others."""
    given = {"fault": fault, "next_at": clock.now(), "claim": "", "attempts": mail.attempts - 1}
    _settle(session, mail, given)


def drop(session: Session, mail_id: int) -> bool:
    """Give up a mail that waits; gives whether it did. One that a deliverer has in hand may be sent already."""
    free = (col(OutboxMail.claim) == "") | (col(OutboxMail.next_at) <= clock.now())
    waits = update(OutboxMail).where(col(OutboxMail.id) == mail_id, _WAITS, free)
    return session.execute(waits.values(_ended(MailState.FAILED, DROPPED))).rowcount == 1


def revive(session: Session, mail_id: int) -> bool:
    """Try a mail anew that was given up, as if it had been queued now; gives whether it could."""
    now, mine = clock.now(), col(OutboxMail.id) == mail_id
    ended = update(OutboxMail).where(
        mine, col(OutboxMail.state) == MailState.FAILED, col(OutboxMail.sealed).is_not(None)
    )
    begun = {"state": MailState.WAITING, "attempts": 0, "claim": "", "fault": "", "finished_at": None}
    return session.execute(ended.values(begun | {"queued_at": now, "next_at": now})).rowcount == 1


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts; spread, so that what failed together doesn't return together."""
    grown = min(FIRST_DELAY * 4 ** min(attempts - 1, 8), LONGEST_DELAY)
    return grown * _random.uniform(0.8, 1.2)


def letter_of(mail: OutboxMail) -> Letter | None:
    """What the mail says; None once its text is gone. Raises crypto.Unreadable."""
    return unpack(crypto.unseal(mail.sealed, binding=place_of(mail))) if mail.sealed else None


def prune(session: Session, now: datetime) -> None:
    """Blank the letters that ended some days ago, and end those that no deliverer asked for in a month."""
    ended = (col(OutboxMail.state) != MailState.WAITING, col(OutboxMail.next_at) <= now)
    session.execute(update(OutboxMail).where(*ended).values(sealed=None, next_at=None))
    unsent = (_WAITS, col(OutboxMail.next_at) <= now - KEEP_UNSENT)
    fault = f"No mail server took it within {KEEP_UNSENT.days} days."
    session.execute(update(OutboxMail).where(*unsent).values(_ended(MailState.FAILED, fault)))


def _settle(session: Session, mail: OutboxMail, values: dict[str, Any]) -> None:
    mine = (col(OutboxMail.id) == mail.id, col(OutboxMail.claim) == mail.claim, _WAITS)
    session.execute(update(OutboxMail).where(*mine).values(values))


def _ended(state: MailState, fault: str = "") -> dict[str, Any]:
    now = clock.now()
    return {"state": state, "fault": fault, "finished_at": now, "next_at": now + KEEP_TEXT, "claim": ""}
