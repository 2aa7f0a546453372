"""Who bills whom: written into each bill when it is made, so that later changes don't reach it."""

from sqlmodel import Session

from portal_app.billing import tax_ids
from portal_app.billing.profiles import profile_of
from portal_app.models import Bill, Partner
from portal_app.money import major
from portal_app.settings import settings

SELLER = ("name", "address", "zip", "city", "country", "email", "phone", "tax_id", "registration", "tax_note")
BANK = ("bank", "iban", "bic")
_OF_PROFILE = ("company", "tax_id", "address", "zip", "city", "country", "email", "phone")


def seller() -> dict[str, str]:
    """The provider, as PORTAL_SELLER_… says: what `Bill.seller` keeps."""
    given = settings()
    found = {name: str(getattr(given, f"seller_{name}")) for name in (*SELLER, *BANK)}
    return found | {
        "name": found["name"] or given.brand_name,
        "email": found["email"] or given.support_email,
        "tax_id": tax_ids.normal(found["country"], found["tax_id"]),
    }


def buyer(session: Session, partner_id: int) -> dict[str, str]:
    """The partner, as its billing details say: what `Bill.buyer` keeps."""
    partner = session.get_one(Partner, partner_id)
    profile = profile_of(session, partner_id)
    found = {name: str(getattr(profile, name)) for name in _OF_PROFILE}
    person = " ".join(filter(None, (profile.title, profile.first_name, profile.last_name)))
    return found | {
        "code": partner.code,
        "person": person,
        "company": profile.company or partner.name,
        "address": profile.address or partner.address,
        "email": profile.email or partner.email,
    }


def takes_transfer(bill: Bill) -> bool:
    """Whether the bill is large enough for a bank transfer, and the provider has an account for it."""
    at_least = settings().bank_transfer_from.get(bill.currency, 0)
    has_account = any(bill.seller.get(name) for name in BANK)
    return has_account and major(bill.total_minor, bill.currency) > at_least
