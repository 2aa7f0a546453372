"""The rules of the lists of bills: History, Unpaid Bills, what the banners and the search tell of."""

from sqlmodel import Session

from portal_app import clock
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import bill_reading
from portal_app.billing.bill_query import BillQuery
from portal_app.billing.bill_rows import BillPage, BillRow, Owed

FOUND_AT_ONCE = 4


def list_page(session: Session, actor: Actor, query: BillQuery) -> BillPage:
    """A page of History or of Unpaid Bills. Raises Denied."""
    actor.require(Permission.BILLING_VIEW)
    return bill_reading.page(session, actor, query, clock.day_in(actor.time_zone))


def owed(session: Session, actor: Actor) -> Owed:
    """What of the actor's accounts is open. Raises Denied."""
    actor.require(Permission.BILLING_VIEW)
    return bill_reading.owed(session, actor, clock.day_in(actor.time_zone))


def find(session: Session, actor: Actor, words: str) -> list[BillRow]:
    """The first few bills whose reference number begins with the words. Raises Denied."""
    actor.require(Permission.BILLING_VIEW)
    digits = words.strip().removeprefix("#")
    # A prefix of a number of the portal's own: what else counts as a decimal digit is none.
    if not (digits.isascii() and digits.isdecimal()):
        return []
    return bill_reading.by_number(session, actor, digits, clock.day_in(actor.time_zone), FOUND_AT_ONCE)
