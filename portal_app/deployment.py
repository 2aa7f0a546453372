"""What kind of deployment this is."""

from sqlmodel import Session, col, select

from portal_app.models import Partner
from portal_app.settings import settings
from portal_app.text import normal_email

# The operator of the demo data, who signs in with the published password as long as the deployment is a demo.
DEMO_OPERATOR = "operator@demo.example"


def is_demo(session: Session) -> bool:
    """Whether demo data and demo conveniences are on: as PORTAL_DEMO says, else until a real partner exists."""
    chosen = settings().demo
    if chosen is not None:
        return chosen
    return session.exec(select(Partner.id).where(col(Partner.is_demo).is_(False)).limit(1)).first() is None


def is_demo_operator(email: str) -> bool:
    """Whether it is the address of the demo's own operator."""
    return normal_email(email) == DEMO_OPERATOR


def requires_second_factor(email: str) -> bool:
    """Whether an operator with this address needs a second factor to sign in: all do outside the demo."""
    return settings().demo is not True and not is_demo_operator(email)
