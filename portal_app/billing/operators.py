"""What operators do to a partner is in the provider's audit under their own name, and in the partner's."""

from sqlmodel import Session

from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor


def note(session: Session, actor: Actor, partner_id: int | None, activity: Activity, description: str) -> None:
    """Record it in both; without a partner, in the provider's alone."""
    record(session, actor, activity, description)
    if partner_id is not None and partner_id != actor.partner_id:
        record(session, actor, activity, description, partner_id=partner_id)
