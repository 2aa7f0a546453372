"""What somebody tried that they may not do is written into the audit."""

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import limiter
from portal_app.auth.actor import Actor, ActorKind


def note(actor: Actor, what: str, sentence: str) -> None:
    """Audit that the actor was refused `what`; of many in a short time by one session, only the first.

    A unit of work of its own; blocks, so never call it on the event loop.
    """
    if limiter.is_new_denial(actor.session_hash, what):
        activity = Activity.API if actor.kind == ActorKind.TOKEN else Activity.ACCESS_REFUSED
        db.write(record, actor, activity, f"{sentence} ({what})", completed=False)
