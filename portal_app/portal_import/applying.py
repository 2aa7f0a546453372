"""Does what the dry run said, account by account: each whole in a transaction of its own, so that it can go on."""

import logging
from collections.abc import Callable

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from portal_app import db
from portal_app.accounts.import_save import lock_partner
from portal_app.errors import PortalError
from portal_app.portal_import import steps
from portal_app.portal_import.choices import Order
from portal_app.portal_import.reading import Customer, Portal

log = logging.getLogger(__name__)
NOT_SAVED = "It could not be saved: something changed meanwhile. Import once more to try it again."
# Raises in the transaction of an account when this worker may write no more.
Fence = Callable[[Session], None]
OnStep = Callable[[float], None]


def apply(order: Order, portal: Portal, *, fence: Fence, on: OnStep) -> list[list[str]]:
    """Import all accounts; what was imported before stays as it is. Gives those that failed, with the reason."""
    failed: list[list[str]] = []
    emails: set[str] = set()
    for number, customer in enumerate(portal.customers):
        on(number / len(portal.customers))
        if sentence := _apply(order, customer, emails, fence):
            failed.append([customer.name, sentence])
    on(1)
    return failed


def _apply(order: Order, customer: Customer, emails: set[str], fence: Fence) -> str:
    """Import one account, with a second try: who took its address or its task at this moment is seen then."""
    for last in (False, True):
        mine = set(emails)
        try:
            db.write(_one, order, customer, mine, fence)
        except (IntegrityError, OperationalError) as fault:
            if last:
                log.warning("An account of an import was not saved: %s", type(fault.orig).__name__)
                return NOT_SAVED
        except PortalError as fault:
            return fault.sentence
        else:
            emails |= mine
            return ""
    return NOT_SAVED


def _one(session: Session, order: Order, customer: Customer, emails: set[str], fence: Fence) -> None:
    fence(session)
    lock_partner(session, order.actor)
    here = steps.look(session, order, [customer])
    step = steps.plan(session, order, customer, here, emails)
    if step.action in ("add", "change"):
        steps.do(session, order, step, here)
