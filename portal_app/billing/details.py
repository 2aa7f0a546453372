"""Payment Details: whom a partner's bills are made out to, on which day, and how they go out by mail (spec 5.7)."""

from dataclasses import asdict

from sqlmodel import Session

from portal_app import text
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import tax_ids
from portal_app.billing.detail_rows import BillingDetails, DetailsForm
from portal_app.billing.profiles import profile_of, profile_to_change
from portal_app.errors import Invalid, NotFound
from portal_app.models import Delivery, Partner

TITLES = ("Mr", "Mrs", "Ms", "Mx", "Dr", "Prof")
PAYMENT_DAYS = range(1, 32)
# Each field of the form: its words in the audit, and how long it may be.
_FIELDS = {
    "title": ("title", 20),
    "first_name": ("first name", 80),
    "last_name": ("last name", 80),
    "company": ("company name", 120),
    "tax_id": ("company tax id", 40),
    "address": ("address", 500),
    "zip": ("zip/postal code", 20),
    "city": ("city", 80),
    "country": ("country", 2),
    "email": ("email", 254),
    "phone": ("phone", 40),
    "payment_day": ("payment day", 2),
    "delivery": ("delivery of invoices", 20),
}


def show(session: Session, actor: Actor) -> BillingDetails:
    """What is saved; what was never said is taken from the partner's own settings. Raises Denied."""
    partner = _partner(session, actor)
    profile = profile_of(session, partner.id or 0)
    form = DetailsForm(**{name: str(getattr(profile, name)) for name in _FIELDS})
    if not (profile.company or profile.email):
        form = _suggested(form, partner)
    return BillingDetails(form, partner.currency, profile.method or "")


def save(session: Session, actor: Actor, form: DetailsForm) -> bool:
    """Keep what the form holds; False when nothing is new. Raises Denied, and Invalid by the form's fields."""
    partner = _partner(session, actor)
    values = _cleaned(form)
    _check(values)
    profile = profile_to_change(session, partner.id or 0)
    kept = values | {"payment_day": int(values["payment_day"])}
    changed = [name for name, value in kept.items() if getattr(profile, name) != value]
    for name in changed:
        setattr(profile, name, kept[name])
    if changed:
        session.add(profile)
        words = ", ".join(_FIELDS[name][0] for name in changed)
        record(session, actor, Activity.BILLING_DETAILS, f"Billing details: {words} changed")
    return bool(changed)


def _partner(session: Session, actor: Actor) -> Partner:
    actor.require(Permission.PAYMENT_MANAGE)
    partner = session.get(Partner, actor.partner_id) if actor.partner_id is not None else None
    if partner is None:
        raise NotFound("There is no such partner.")
    return partner


def _suggested(form: DetailsForm, partner: Partner) -> DetailsForm:
    known = {"company": partner.name, "email": partner.email, "address": partner.address, "phone": partner.phone}
    return DetailsForm(**asdict(form) | known)


def _cleaned(form: DetailsForm) -> dict[str, str]:
    values = {name: text.clean(value) for name, value in asdict(form).items()}
    lines = (text.clean(line) for line in form.address.strip().splitlines())
    values["address"] = "\n".join(line for line in lines if line)
    values["tax_id"] = tax_ids.normal(values["country"], values["tax_id"])
    return values


def _check(values: dict[str, str]) -> None:
    faults = {name: _line_fault(values[name], longest) for name, (_, longest) in _FIELDS.items()}
    for name, sentence in _choice_faults(values).items():
        faults[name] = faults[name] or sentence
    if found := {name: sentence for name, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _choice_faults(values: dict[str, str]) -> dict[str, str]:
    """By field: what is missing, and what is none of those that can be chosen."""
    known = values["country"] in tax_ids.countries()
    day = values["payment_day"]
    return {
        "title": "" if values["title"] in ("", *TITLES) else "Choose one of the list.",
        "company": "" if values["company"] else "Enter the name that stands on the bill.",
        "tax_id": tax_ids.fault(values["country"], values["tax_id"]),
        "country": "" if known else "Choose a country.",
        "email": text.email_fault(values["email"]),
        "phone": text.phone_fault(values["phone"]),
        "payment_day": "" if day in map(str, PAYMENT_DAYS) else "Choose a day from 1 to 31.",
        "delivery": "" if values["delivery"] in list(Delivery) else "Choose Link or Attachment.",
    }


def _line_fault(words: str, longest: int) -> str:
    if len(words) > longest:
        return f"Use at most {longest:,} characters; this has {len(words):,}."
    return "Remove the invisible control characters." if text.has_control(words.replace("\n", " ")) else ""
