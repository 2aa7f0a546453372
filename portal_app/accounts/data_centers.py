"""The provider's data centres that a new deployment begins with (spec 4.3)."""

from sqlalchemy import text
from sqlmodel import Session, select

from portal_app.models import DataCenter

# In the order of the form; an operator renames, adds and closes them later.
DEFAULTS = (
    ("au-sydney", "Australia (Sydney)"),
    ("ca-central", "Canada (Central)"),
    ("fr-paris", "France (Paris)"),
    ("de-frankfurt", "Germany (Frankfurt)"),
    ("eu-ireland", "Europe (Ireland)"),
    ("in-mumbai", "India (Mumbai)"),
    ("jp-tokyo", "Asia Pacific (Tokyo)"),
    ("za-cape-town", "South Africa (Cape Town)"),
    ("uk-london", "UK (London)"),
    ("us-virginia", "US East (Virginia)"),
)


def ensure_data_centers(session: Session) -> None:
    """Fill the list while it is empty. A list that has rows is the operator's own and stays as it is."""
    if _has_any(session):
        return
    if session.get_bind().dialect.name == "postgresql":
        # Of two processes that start at once, the second waits here and then finds the list full.
        session.execute(text("LOCK TABLE data_center IN SHARE ROW EXCLUSIVE MODE"))
    if not _has_any(session):
        session.add_all(
            DataCenter(code=code, name=name, position=place) for place, (code, name) in enumerate(DEFAULTS, 1)
        )
        session.flush()


def _has_any(session: Session) -> bool:
    return session.exec(select(DataCenter.id).limit(1)).first() is not None
