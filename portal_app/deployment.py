"""What kind of deployment this is."""

from sqlmodel import Session, col, select

from portal_app.models import Partner
from portal_app.settings import settings


def is_demo(session: Session) -> bool:
    """Whether demo data and demo conveniences are on: as PORTAL_DEMO says, else until a real partner exists."""
    chosen = settings().demo
    if chosen is not None:
        return chosen
    return session.exec(select(Partner.id).where(col(Partner.is_demo).is_(False)).limit(1)).first() is None
