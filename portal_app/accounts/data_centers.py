"""The provider's data centres: those that a new deployment begins with (spec 4.3), and where each keeps its backups."""

from urllib.parse import urlsplit

from sqlalchemy import text
from sqlmodel import Session, select

from portal_app import crypto
from portal_app.accounts import storage_credentials
from portal_app.accounts.storage_credentials import Credentials, S3Compatible
from portal_app.models import DataCenter
from portal_app.settings import settings

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


def seal(center: DataCenter, credentials: Credentials) -> bytes:
    """The credentials of the data centre's storage, bound to its row."""
    return crypto.seal(storage_credentials.to_json(credentials), binding=_binding(center))


def credentials_of(center: DataCenter) -> Credentials | None:
    """How its storage is reached; None for a folder of this machine. Raises Unreadable."""
    if center.sealed is None:
        return None
    return storage_credentials.from_json(crypto.unseal(center.sealed, binding=_binding(center)))


def is_ours(credentials: Credentials) -> bool:
    """Whether PORTAL_STORAGE_HOSTS has its host: the only private ones at which the provider keeps backups."""
    if not isinstance(credentials, S3Compatible):
        return False
    return (urlsplit(credentials.endpoint_url).hostname or "") in [host.lower() for host in settings().storage_hosts]


def _binding(center: DataCenter) -> str:
    return crypto.binding("provider", "data_center", center.id or 0, "sealed")
