"""Programs' keys to a partner's data: shown once, kept as hashes, read afresh for every request."""

import re
import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlmodel import Session, col

from portal_app import clock, text
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import NOBODY, Actor, ActorKind, Origin, at_untrusted_address
from portal_app.auth.permissions import Permission, effective
from portal_app.auth.sessions import USE_NOTED_EVERY, digest
from portal_app.errors import Denied, Invalid, NotFound
from portal_app.ip_restrictions.repository import comes_from_elsewhere
from portal_app.models import ApiToken, Partner, PartnerState, User, UserState

PREFIX = "ppt_"
MOST_TOKENS = 100
_SHAPE = re.compile(r"ppt_[A-Za-z0-9_-]{43}")
_NOWHERE = Origin()
_PERMISSIONS = {permission.value: permission for permission in Permission}


def create_token(
    session: Session,
    actor: Actor,
    partner_id: int,
    name: str,
    permissions: Collection[Permission],
    *,
    ends_at: datetime | None = None,
) -> str:
    """A new token of the partner, to be shown once; only its hash is kept. It sees all the partner's accounts.

    It never does more than who made it may do at the time: their rights are read with it at each request.
    `ends_at` is an instant in UTC, None for a token without an end. Raises Denied when the actor would grant more
    than they have, NotFound for another partner, Invalid with a sentence for each field.
    """
    _may_manage(actor, partner_id)
    if not frozenset(permissions) <= actor.permissions or not actor.all_accounts:
        raise Denied("You can't give a token more than you may do yourself.")
    name = text.clean(name)
    _check(name, permissions, ends_at)
    if _living(session, partner_id) >= MOST_TOKENS:
        raise Invalid(f"There are {MOST_TOKENS} tokens in use already. Revoke those that nothing uses.")
    token = PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(
            partner_id=partner_id,
            name=name,
            token_hash=digest(token),
            permissions=sorted(permission.value for permission in permissions),
            created_at=clock.now(),
            ends_at=ends_at,
            created_by_id=actor.user_id,
        )
    )
    record(session, actor, Activity.API, f"Token “{name}” created", partner_id=partner_id)
    session.flush()
    return token


def revoke(session: Session, actor: Actor, token_id: int) -> str:
    """End a token for good, once or often; gives its name. Raises Denied, and NotFound for another partner's."""
    actor.require(Permission.API_MANAGE)
    found = session.scalars(select(ApiToken).where(col(ApiToken.id) == token_id).with_for_update()).first()
    if found is None or not _is_own(actor, found.partner_id):
        raise NotFound("There is no such token.")
    if found.revoked_at is None:
        found.revoked_at = clock.now()
        session.add(found)
        record(session, actor, Activity.API, f"Token “{found.name}” revoked", partner_id=found.partner_id)
    return found.name


def find_token(session: Session, token: str, origin: Origin = _NOWHERE) -> Actor:
    """The program behind a token. NOBODY when it is unknown, revoked or expired, its partner is suspended, or who made

    it can no longer sign in or no longer sees all accounts.
    """
    return identify(session, token, origin)[0]


def identify(session: Session, token: str, origin: Origin = _NOWHERE) -> tuple[Actor, bool]:
    """The program behind a token, and whether its last use was noted too long ago.

    ELSEWHERE at an address that its partner does not trust.
    """
    row = session.execute(_valid(token)).first() if _SHAPE.fullmatch(token) else None
    if row is None:
        return NOBODY, False
    found, partner, creator = row
    actor = _actor(found, partner, creator, origin)
    if comes_from_elsewhere(session, partner, origin.address):
        return at_untrusted_address(actor), False
    return actor, found.used_at is None or found.used_at < clock.now() - USE_NOTED_EVERY


def note_use(session: Session, actor: Actor) -> None:
    """Note that the token is in use now; of several requests at one moment the first one notes it."""
    token, now = col(ApiToken.token_hash) == actor.session_hash, clock.now()
    stale = or_(col(ApiToken.used_at).is_(None), col(ApiToken.used_at) < now - USE_NOTED_EVERY)
    session.execute(update(ApiToken).where(token, stale).values(used_at=now))


def _may_manage(actor: Actor, partner_id: int) -> None:
    actor.require(Permission.API_MANAGE)
    if not _is_own(actor, partner_id):
        raise NotFound("There is no such partner.")


def _is_own(actor: Actor, partner_id: int) -> bool:
    everywhere = actor.kind == ActorKind.SYSTEM and actor.partner_id is None
    return everywhere or actor.partner_id == partner_id


def _check(name: str, permissions: Collection[Permission], ends_at: datetime | None) -> None:
    faults = {
        "name": text.name_fault(name, "a name for the token"),
        "permissions": "" if permissions else "Choose what the token may do.",
        "ends_at": "Choose a moment in the future." if ends_at is not None and ends_at <= clock.now() else "",
    }
    found = {field: sentence for field, sentence in faults.items() if sentence}
    if found:
        raise Invalid(**found)


def _living(session: Session, partner_id: int) -> int:
    living = and_(col(ApiToken.partner_id) == partner_id, col(ApiToken.revoked_at).is_(None))
    return session.scalar(select(func.count()).where(living, not_ended())) or 0


def not_ended() -> ColumnElement[bool]:
    """That a token's own end has not come."""
    return or_(col(ApiToken.ends_at).is_(None), col(ApiToken.ends_at) > clock.now())


def has_creator() -> ColumnElement[bool]:
    """That who made the token (joined as User) can still answer for all it sees; a command's need nobody."""
    stands = and_(col(User.state) == UserState.ACTIVE, col(User.all_accounts).is_(True))
    return or_(col(ApiToken.created_by_id).is_(None), stands)


def _valid(token: str) -> Select[ApiToken, Partner, User]:
    return (
        select(ApiToken, Partner, User)
        .join(Partner, col(Partner.id) == col(ApiToken.partner_id))
        .outerjoin(User, col(User.id) == col(ApiToken.created_by_id))
        .where(
            and_(col(ApiToken.token_hash) == digest(token), col(ApiToken.revoked_at).is_(None), not_ended()),
            col(Partner.state) == PartnerState.ACTIVE,
            has_creator(),
        )
    )


def _actor(token: ApiToken, partner: Partner, creator: User | None, origin: Origin) -> Actor:
    granted = frozenset(_PERMISSIONS[key] for key in token.permissions if key in _PERMISSIONS)
    if creator is not None:
        granted &= effective(creator.role, creator.permissions)
    return Actor(
        kind=ActorKind.TOKEN,
        partner_id=token.partner_id,
        name=token.name,
        permissions=granted,
        all_accounts=True,
        currency=partner.currency,
        time_zone=partner.time_zone,
        session_hash=token.token_hash,
        origin=origin,
    )
