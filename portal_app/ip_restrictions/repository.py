"""What is read of a partner's trusted addresses."""

from sqlalchemy import exists, select
from sqlmodel import Session, col

from portal_app.ip_restrictions.addresses import is_within, key_of
from portal_app.models import Partner, Role, TrustedAddress, TrustedSpan, User, UserKind, UserState
from portal_app.settings import settings


def is_trusted(session: Session, partner_id: int, address: str) -> bool:
    """Whether the address is among the partner's, whether or not they count at present. One look into an index."""
    key = key_of(address)
    if key is None:
        return False
    holds = exists().where(
        col(TrustedSpan.partner_id) == partner_id, col(TrustedSpan.first) <= key, col(TrustedSpan.last) >= key
    )
    return bool(session.scalar(select(holds)))


def comes_from_elsewhere(session: Session, partner: Partner, address: str) -> bool:
    """Whether the partner's people and programs are refused at this address."""
    return partner.ip_restricted and not is_trusted(session, partner.id or 0, address)


def user_comes_from_elsewhere(session: Session, user_id: int, address: str) -> bool:
    """The same for a person who is not signed in (yet): with a ticket, or a link out of a mail."""
    kind = session.scalar(select(col(User.kind)).where(col(User.id) == user_id))
    if kind == UserKind.OPERATOR:
        return operator_comes_from_elsewhere(address)
    found = session.scalars(
        select(Partner).join(User, col(User.partner_id) == col(Partner.id)).where(col(User.id) == user_id)
    ).first()
    return found is not None and comes_from_elsewhere(session, found, address)


def operator_comes_from_elsewhere(address: str) -> bool:
    """Whether an operator is refused at this address: where any are named, at every other one."""
    allowed = settings().operator_addresses
    return bool(allowed) and not any(is_within(address, network) for network in allowed)


def entries(session: Session, partner_id: int) -> list[TrustedAddress]:
    """The partner's entries, the oldest first."""
    mine = select(TrustedAddress).where(col(TrustedAddress.partner_id) == partner_id)
    return list(session.scalars(mine.order_by(col(TrustedAddress.id))))


def administrators(session: Session, partner_id: int) -> list[str]:
    """The addresses of the partner's administrators."""
    active = (col(User.role) == Role.ADMINISTRATOR, col(User.state) == UserState.ACTIVE)
    return list(session.scalars(select(col(User.email)).where(col(User.partner_id) == partner_id, *active)))
