"""What is said and written down when somebody comes from an address that their company does not trust."""

from portal_app import db
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import limiter
from portal_app.auth.actor import Actor, ActorKind


def note(actor: Actor) -> None:
    """Audit that the actor was refused, if they were; of many refusals of one session the first of some minutes.

    A unit of work of its own; blocks, so never call it on the event loop.
    """
    if actor.kind == ActorKind.ELSEWHERE and limiter.is_worth_noting(actor.session_hash, actor.origin.address):
        words = f"Refused: {actor.origin.address or 'unknown address'} is not a trusted IP address."
        activity = Activity.SIGN_IN if actor.user_id is not None else Activity.API
        db.write(record, actor, activity, words, completed=False)
