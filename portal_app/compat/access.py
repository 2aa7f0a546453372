"""Signing in as the existing portal's clients do, with an API token and nothing else (ADR 0030).

The client's secret is the API token and is read afresh at each call. What signing in gives is sealed, short-lived, and
good only beside that token: it opens nothing alone.
"""

import base64
import binascii
import contextlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select
from sqlmodel import Session, col

from portal_app import clock, crypto
from portal_app.auth.actor import Actor
from portal_app.models import ApiToken, Partner, Role, User, UserState
from portal_app.text import fold, normal_email


class Use(StrEnum):
    """What a sealed text is good for, and how long."""

    life: timedelta

    def __new__(cls, key: str, life: timedelta) -> "Use":
        member = str.__new__(cls, key)
        member._value_ = key
        member.life = life
        return member

    ACCESS = "access", timedelta(hours=1)
    REFRESH = "refresh", timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pass:
    """What a sign-in gives."""

    access: str
    refresh: str
    seconds: int = int(Use.ACCESS.life.total_seconds())


def is_named(session: Session, actor: Actor, client_id: str) -> bool:
    """Whether the client's id is the number or the name of the actor's token."""
    name = select(col(ApiToken.id), col(ApiToken.name)).where(col(ApiToken.token_hash) == actor.session_hash)
    found = session.execute(name).first()
    return found is not None and fold(_text(client_id)) in {str(found.id), fold(found.name)}


def is_address_of(session: Session, actor: Actor, email: str) -> bool:
    """Whether the address is the partner's, the token maker's or one of its administrators'."""
    key = normal_email(email)
    address = session.scalar(select(col(Partner.email)).where(col(Partner.id) == actor.partner_id))
    if address and normal_email(address) == key:
        return True
    maker = select(col(ApiToken.created_by_id)).where(col(ApiToken.token_hash) == actor.session_hash)
    answers = or_(col(User.role) == Role.ADMINISTRATOR, col(User.id).in_(maker))
    mine = (col(User.partner_id) == actor.partner_id, col(User.state) == UserState.ACTIVE)
    return session.scalar(select(col(User.id)).where(*mine, answers, col(User.email_key) == key)) is not None


def is_secret(actor_secret: str, password: str) -> bool:
    """Whether the password is the client's secret once more, compared in even time."""
    return secrets.compare_digest(actor_secret.encode(), password.encode())


def issue(actor: Actor) -> Pass:
    """What the client sends from now on."""
    return Pass(_seal(actor, Use.ACCESS), _seal(actor, Use.REFRESH))


def holds(actor: Actor, given: str, use: Use) -> bool:
    """Whether the text was issued for this token and this use, and is not too old."""
    with contextlib.suppress(crypto.Unreadable, binascii.Error, ValueError, KeyError, TypeError):
        sealed = base64.b64decode(given.encode(), altchars=b"-_", validate=True)
        found = json.loads(crypto.unseal(sealed, binding=_place(use)))
        return found["token"] == actor.session_hash and datetime.fromisoformat(found["ends"]) > clock.now()
    return False


def _seal(actor: Actor, use: Use) -> str:
    content = json.dumps({"token": actor.session_hash, "ends": (clock.now() + use.life).isoformat()})
    return base64.urlsafe_b64encode(crypto.seal(content.encode(), binding=_place(use))).decode()


def _place(use: Use) -> str:
    return crypto.binding("compat", "pass", use, "sealed")


def _text(header: str) -> str:
    # Headers come as Latin-1; a name may hold any letter.
    with contextlib.suppress(UnicodeError):
        return header.encode("latin-1").decode().strip()
    return header.strip()
