"""Links in mails that are good once: invitations and password resets."""

import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.auth.sessions import digest
from portal_app.models import LinkKind, OneTimeLink


def create(session: Session, user_id: int, kind: LinkKind, life: timedelta) -> str:
    """The token of a new link; the user's older ones of the kind are void from now on."""
    void(session, user_id, kind)
    token = secrets.token_urlsafe(32)
    session.add(OneTimeLink(token_hash=digest(token), user_id=user_id, kind=kind, ends_at=clock.now() + life))
    return token


def void(session: Session, user_id: int, kind: LinkKind) -> None:
    """Make the user's links of the kind good for nothing."""
    session.execute(delete(OneTimeLink).where(col(OneTimeLink.user_id) == user_id, col(OneTimeLink.kind) == kind))


def peek(session: Session, token: str, kind: LinkKind) -> int | None:
    """The id of the user whose link it is, as long as it is good. Spends nothing."""
    return session.scalars(
        select(col(OneTimeLink.user_id)).where(*_is(token, kind), col(OneTimeLink.ends_at) > clock.now())
    ).first()


def take(session: Session, token: str, kind: LinkKind) -> int | None:
    """The id of the user whose link it is, once: of several at the same moment one gets it."""
    spent = delete(OneTimeLink).where(*_is(token, kind), col(OneTimeLink.ends_at) > clock.now())
    return session.scalars(spent.returning(col(OneTimeLink.user_id))).first()


def _is(token: str, kind: LinkKind) -> tuple:
    return col(OneTimeLink.token_hash) == digest(token), col(OneTimeLink.kind) == kind
