"""A partner's billing profile: made when it is first needed."""

from sqlmodel import Session

from portal_app import db
from portal_app.models import BillingProfile


def profile_of(session: Session, partner_id: int) -> BillingProfile:
    """The profile to read; one that is not saved where there is none yet."""
    return session.get(BillingProfile, partner_id) or BillingProfile(partner_id=partner_id)


def profile_to_change(session: Session, partner_id: int) -> BillingProfile:
    """The profile, saved and locked until the transaction ends."""
    insert = db.insert(session, BillingProfile)
    fresh = BillingProfile(partner_id=partner_id).model_dump()
    session.execute(insert.values(fresh).on_conflict_do_nothing(index_elements=["partner_id"]))
    return session.get_one(BillingProfile, partner_id, with_for_update=True, populate_existing=True)
