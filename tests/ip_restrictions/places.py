"""Where people come from, and partner A opened only to those at the office."""

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Origin
from portal_app.ip_restrictions import addresses
from portal_app.models import AuditEvent, Partner, TrustedAddress, TrustedSpan
from tests import factories
from tests.cast import Cast

# Everybody in the tests comes from here unless told otherwise.
OFFICE = Origin("192.0.2.7", "Firefox on Linux")
HOME = Origin("198.51.100.23", "Firefox on Linux")
SIX = Origin("2001:db8:77::9", "Firefox on Linux")


@pytest.fixture
def restricted(cast: Cast) -> Cast:
    """The cast, with partner A open to the office only."""
    db.write(restrict, cast.partner_a, "192.0.2.0/24")
    return cast


def restrict(session: Session, partner: Partner, *entries: str) -> None:
    """Trust these addresses and nothing else from now on."""
    for text in entries:
        add_entry(session, partner, text)
    session.execute(update(Partner).where(col(Partner.id) == partner.id).values(ip_restricted=True))


def add_entry(session: Session, partner: Partner, text: str) -> TrustedAddress:
    entry = factories.save(
        session, TrustedAddress(partner_id=partner.id, addresses=text, description=text, created_at=clock.now())
    )
    for span in addresses.parse(text, "", ""):
        first, last = span.keys
        session.add(TrustedSpan(entry_id=entry.id, partner_id=partner.id, first=first, last=last))
    return entry


def open_to_all(session: Session, partner: Partner) -> None:
    session.execute(update(Partner).where(col(Partner.id) == partner.id).values(ip_restricted=False))


def refusals() -> list[AuditEvent]:
    """What the audit says of people at untrusted addresses."""

    def read(session: Session) -> list[AuditEvent]:
        failed = select(AuditEvent).where(col(AuditEvent.completed).is_(False))
        return [e for e in session.exec(failed.order_by(col(AuditEvent.id))) if "not a trusted IP" in e.description]

    return db.read(read)


def settings_changes() -> list[str]:
    """What the audit says of changed settings."""
    wanted = select(AuditEvent.description).where(col(AuditEvent.activity) == Activity.SETTINGS_CHANGED)
    return db.read(lambda session: list(session.exec(wanted.order_by(col(AuditEvent.id)))))
