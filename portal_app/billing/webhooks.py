"""What a processor tells by itself. Its message is only a reason to ask: order and repetition don't matter then."""

import logging
from collections.abc import Mapping

from sqlmodel import Session

from portal_app import clock, db
from portal_app.billing import cards, payments
from portal_app.billing.gateways import sandbox
from portal_app.billing.gateways.chosen import gateway_named
from portal_app.billing.gateways.port import Forged, Notice, Refused, Silent
from portal_app.models import ProcessorEvent
from portal_app.sandbox_processor import signing

log = logging.getLogger("portal.payments")


def take(name: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Work on a message of the gateway `name`; False when that was not possible now, and it shall come again.

    Raises Forged, and Silent when there is no such gateway. Runs in a thread, outside any transaction.
    """
    notice = gateway_named(name).notice(body, headers)
    if notice is None or db.read(_is_known, name, notice.id):
        return True
    if not _work_on(name, notice):
        return False
    db.write(_remember, name, notice.id)
    return True


def _work_on(name: str, notice: Notice) -> bool:
    try:
        if notice.setup:
            cards.finish_adding(notice.setup, name)
            return True
        return payments.look_up(notice.key)
    except (Silent, Refused) as fault:
        log.warning("a message could not be worked on: %s", fault)
        return False


def _is_known(session: Session, name: str, event_id: str) -> bool:
    return session.get(ProcessorEvent, (name, event_id)) is not None


def _remember(session: Session, name: str, event_id: str) -> None:
    row = {"gateway": name, "event_id": event_id, "received_at": clock.now()}
    insert = db.insert(session, ProcessorEvent).values(row)
    session.connection().execute(insert.on_conflict_do_nothing())


def _hear(body: bytes, signature: str) -> bool:
    """A message of the sandbox that runs in this process."""
    try:
        return take(sandbox.Sandbox.name, body, {signing.HEADER: signature})
    except (Forged, Silent):
        return False


sandbox.hear.append(_hear)
