"""The rules of a partner's account settings."""

from sqlmodel import Session, col, select

from portal_app import text
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid, NotFound
from portal_app.models import DataCenter, Partner, SubscriptionType, TicketTopic
from portal_app.partner_settings.rows import AccountForm, AccountSettings
from portal_app.tickets import service as tickets
from portal_app.times import time_zones

LONGEST_ADDRESS = 500
LONGEST_PHONE = 40
LONGEST_REASON = 2_000
OWN_STORAGE = "Our own storage"
_LABELS = {
    "email": "portal email",
    "name": "name",
    "address": "address",
    "phone": "phone",
    "time_zone": "time zone",
    "default_subscription": "default subscription type",
}


def show(session: Session, actor: Actor) -> AccountSettings:
    """The settings of the actor's partner. Raises Denied."""
    partner = _partner(session, actor)
    form = AccountForm(
        partner.email, partner.name, partner.address, partner.phone, partner.time_zone, partner.default_subscription
    )
    location, others = _locations(session, partner)
    return AccountSettings(partner.code, form, location, (*others, OWN_STORAGE))


def save(session: Session, actor: Actor, form: AccountForm) -> bool:
    """Keep what the form holds; False when nothing is new. Raises Denied, and Invalid by the form's fields."""
    partner = _partner(session, actor, lock=True)
    values = {
        "email": text.clean(form.email),
        "name": text.clean(form.name),
        "address": "\n".join(text.clean(line) for line in form.address.strip().splitlines()),
        "phone": text.clean(form.phone),
        "time_zone": form.time_zone.strip(),
        "default_subscription": form.subscription,
    }
    _check(values)
    changed = [name for name, value in values.items() if getattr(partner, name) != value]
    for name in changed:
        setattr(partner, name, values[name])
    if changed:
        session.add(partner)
        words = ", ".join(_LABELS[name] for name in changed)
        record(session, actor, Activity.SETTINGS_CHANGED, f"Account settings: {words} changed")
    return bool(changed)


def request_location(session: Session, actor: Actor, wanted: str, why: str) -> int:
    """Ask the provider for another default location by a ticket; gives its number.

    Raises Denied, and Invalid by the fields `location` and `why`.
    """
    actor.require(Permission.TICKETS_OPEN)
    partner = _partner(session, actor)
    location, others = _locations(session, partner)
    why = why.strip()
    faults = {
        "location": "" if wanted in (*others, OWN_STORAGE) else "Choose one of the locations.",
        "why": _lines_fault(why, LONGEST_REASON) if why else "Say why: it helps to answer you sooner.",
    }
    _refuse(faults)
    subject = f"Another default storage location: {wanted}"
    told = f"For new accounts, please.\nNow: {location}.\nWanted: {wanted}.\n\nWhy: {why}"
    return tickets.open_ticket(session, actor, topic=TicketTopic.CHANGE, subject=subject, text=told).id or 0


def _partner(session: Session, actor: Actor, *, lock: bool = False) -> Partner:
    actor.require(Permission.ACCOUNT_MANAGE)
    mine = select(Partner).where(col(Partner.id) == actor.partner_id)
    partner = session.exec(mine.with_for_update(key_share=True) if lock else mine).first()
    if partner is None:
        raise NotFound("There is no such partner.")
    return partner


def _locations(session: Session, partner: Partner) -> tuple[str, list[str]]:
    """The name of the default location, as new accounts get it, and the other ones that may be asked for."""
    centers = session.exec(
        select(DataCenter).where(col(DataCenter.active).is_(True)).order_by(col(DataCenter.position))
    ).all()
    default = next((center for center in centers if center.id == partner.default_data_center_id), centers[0])
    return default.name, [center.name for center in centers if center is not default]


def _check(values: dict[str, str]) -> None:
    known = values["default_subscription"] in list(SubscriptionType)
    _refuse(
        {
            "email": text.email_fault(values["email"]) if values["email"] else "",
            "name": text.name_fault(values["name"], "the name of your company"),
            "address": _lines_fault(values["address"], LONGEST_ADDRESS),
            "phone": _line_fault(values["phone"], LONGEST_PHONE) or text.phone_fault(values["phone"]),
            "time_zone": "" if values["time_zone"] in time_zones() else "Choose one of the list, such as Europe/Paris.",
            "subscription": "" if known else "Choose how new accounts begin.",
        }
    )


def _refuse(faults: dict[str, str]) -> None:
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _line_fault(line: str, longest: int) -> str:
    if len(line) > longest:
        return f"Use at most {longest:,} characters; this has {len(line):,}."
    return "Remove the invisible control characters." if text.has_control(line) else ""


def _lines_fault(lines: str, longest: int) -> str:
    return _line_fault(lines.replace("\n", " "), longest)
