"""What operators do with partners: look, open, change, suspend, and take accounts away.

A suspended partner's people, tokens and webhooks get nothing from the next event on (`auth.sessions`, `auth.tokens`,
`webhooks.emitting`); its customers' own users and its scheduled backups go on, and so does billing (ADR 0037).
"""

from sqlalchemy import update
from sqlmodel import Session, col, select

from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, ActorKind
from portal_app.billing.operators import note
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.ip_restrictions import repository as restrictions
from portal_app.mail import service as mail
from portal_app.mail.letter import Letter
from portal_app.models import Bill, Partner, PartnerChange, PartnerState, Subscription, User, UserState
from portal_app.money import currencies
from portal_app.operator import letters, repository
from portal_app.operator.query import PartnerQuery
from portal_app.operator.rows import PartnerDetails, PartnerForm, PartnerHead, PartnerPage
from portal_app.text import clean, email_fault, has_control, name_fault, phone_fault
from portal_app.times import time_zones
from portal_app.users import invitations

NO_PARTNER = "There is no such partner."
NO_USER = "There is no such user."
LONGEST_REASON, LONGEST_ADDRESS, LONGEST_PHONE = 300, 500, 40
KIND = "operator"
_LABELS = {"email": "contact email", "time_zone": "time zone"}


def list_page(session: Session, actor: Actor, query: PartnerQuery) -> PartnerPage:
    """A page of all partners. Raises Denied."""
    require_operator(actor)
    return repository.partners(session, query)


def head(session: Session, actor: Actor, code: str) -> PartnerHead:
    """What stands above a partner's pages. Raises Denied, NotFound."""
    return _head(find(session, actor, code))


def opened(session: Session, actor: Actor, code: str) -> PartnerHead:
    """The same for who comes from elsewhere: nobody looks into a partner unseen, it is in both audits."""
    partner = find(session, actor, code)
    note(session, actor, partner.id, Activity.PARTNER_OPENED, f"Partner {partner.code} opened.")
    return _head(partner)


def details(session: Session, actor: Actor, code: str) -> PartnerDetails:
    """All that a partner's overview shows. Raises Denied, NotFound."""
    partner = find(session, actor, code)
    partner_id = partner.id or 0
    accounts, taken = repository.accounts_of(session, partner_id)
    people, total = repository.people_of(session, partner_id)
    return PartnerDetails(
        head=_head(partner),
        form=_form(partner),
        currency_fixed=is_billed(session, partner_id),
        ip_restricted=partner.ip_restricted,
        trusted=repository.trusted_of(session, partner_id),
        accounts=accounts,
        taken=taken,
        created_at=partner.created_at,
        last_sign_in_at=repository.last_sign_in_of(session, partner_id),
        people=people,
        people_total=total,
    )


def save(session: Session, actor: Actor, code: str, seen: PartnerForm, wanted: PartnerForm) -> bool:
    """Keep what is new in the form, which was `seen` before it was filled in; False when nothing is.

    Raises Denied, NotFound, Conflict when somebody else saved meanwhile, Invalid by the form's fields.
    """
    partner = find(session, actor, code, lock=True)
    if _form(partner) != seen:
        raise Conflict("Somebody changed this partner meanwhile. Load the page again to see how it is now.")
    values = {
        "name": clean(wanted.name),
        "email": clean(wanted.email),
        "phone": clean(wanted.phone),
        "address": "\n".join(clean(line) for line in wanted.address.strip().splitlines()),
        "time_zone": wanted.time_zone.strip(),
        "currency": clean(wanted.currency).upper(),
    }
    _check(session, partner, values)
    changed = [name for name, value in values.items() if getattr(partner, name) != value]
    for name in changed:
        setattr(partner, name, values[name])
    if changed:
        session.add(partner)
        words = ", ".join(_LABELS.get(name, name) for name in changed)
        note(session, actor, partner.id, Activity.SETTINGS_CHANGED, f"Partner {partner.code}: {words} changed")
    return bool(changed)


def suspend(session: Session, actor: Actor, code: str, reason: str) -> None:
    """Nobody and nothing of the partner comes in from the next event on. Raises Denied, NotFound, Conflict, Invalid."""
    partner, reason = find(session, actor, code, lock=True), checked_reason(reason)
    if partner.state != PartnerState.ACTIVE:
        raise Conflict("This partner is suspended already.")
    _set_state(session, actor, partner, PartnerState.SUSPENDED, f"Partner {partner.code} suspended: {reason}")
    tell_partner(session, partner, letters.suspended(partner.name, reason))


def reactivate(session: Session, actor: Actor, code: str, reason: str) -> None:
    """The partner's people may come in again. Raises Denied, NotFound, Conflict, Invalid."""
    partner, reason = find(session, actor, code, lock=True), checked_reason(reason)
    if partner.state != PartnerState.SUSPENDED:
        raise Conflict("This partner is not suspended.")
    _set_state(session, actor, partner, PartnerState.ACTIVE, f"Partner {partner.code} reactivated: {reason}")
    tell_partner(session, partner, letters.reactivated(partner.name, reason))


def resend(session: Session, actor: Actor, code: str, user_id: int) -> str:
    """A new invitation for somebody of the partner; the link before it is void. Gives the email.

    Raises Denied, NotFound, Conflict.
    """
    partner = find(session, actor, code)
    mine = (col(User.id) == user_id, col(User.partner_id) == partner.id)
    user = session.scalars(select(User).where(*mine).with_for_update()).first()
    if user is None:
        raise NotFound(NO_USER)
    if user.state != UserState.INVITED:
        raise Conflict(f"{user.email} has confirmed the address already.")
    invitations.invite(session, user)
    note(session, actor, partner.id, Activity.USER_MANAGEMENT, f"Sent {user.email} a new invitation.")
    return user.email


def find(session: Session, actor: Actor, code: str, *, lock: bool = False) -> Partner:
    """The partner. Raises Denied, NotFound."""
    require_operator(actor)
    partner = repository.partner_by_code(session, code.strip().upper(), lock=lock)
    if partner is None:
        raise NotFound(NO_PARTNER)
    return partner


def require_operator(actor: Actor) -> None:
    """Raise Denied unless it is an operator."""
    if actor.kind != ActorKind.OPERATOR:
        raise Denied("This page is for the provider's operators.")


def checked_reason(reason: str) -> str:
    """The reason as it is kept. Raises Invalid (reason)."""
    reason = clean(reason)
    if not reason:
        raise Invalid(reason="Say why: the partner reads it.")
    if len(reason) > LONGEST_REASON or has_control(reason):
        raise Invalid(reason=f"Use at most {LONGEST_REASON} characters, without control characters.")
    return reason


def tell_partner(session: Session, partner: Partner, letter: Letter) -> None:
    """Write to the partner's administrators, and let its open pages look whether they may stay."""
    to = restrictions.administrators(session, partner.id or 0)
    mail.queue_all(session, [mail.NewMail(email, letter, KIND, partner.id) for email in to])
    mine = update(PartnerChange).where(col(PartnerChange.partner_id) == partner.id)
    session.execute(mine.values(number=col(PartnerChange.number) + 1))


def is_billed(session: Session, partner_id: int) -> bool:
    """Whether a currency has begun to count: there is a bill, or a subscription that will make one."""
    rows = (
        select(Bill.id).where(col(Bill.partner_id) == partner_id),
        select(Subscription.account_id).where(col(Subscription.partner_id) == partner_id),
    )
    return any(session.exec(one.limit(1)).first() is not None for one in rows)


def _head(partner: Partner) -> PartnerHead:
    return PartnerHead(partner.id or 0, partner.code, partner.name, partner.state)


def _form(partner: Partner) -> PartnerForm:
    told = (partner.name, partner.email, partner.phone, partner.address)
    return PartnerForm(*told, partner.time_zone, partner.currency)


def _set_state(session: Session, actor: Actor, partner: Partner, state: PartnerState, words: str) -> None:
    partner.state = state
    session.add(partner)
    session.flush()
    note(session, actor, partner.id, Activity.SETTINGS_CHANGED, words)


def _check(session: Session, partner: Partner, values: dict[str, str]) -> None:
    known = values["currency"] in currencies()
    fixed = values["currency"] != partner.currency and is_billed(session, partner.id or 0)
    address = values["address"]
    faults = {
        "name": name_fault(values["name"], "the partner's name"),
        "email": email_fault(values["email"]) if values["email"] else "",
        "phone": phone_fault(values["phone"]) or _long(values["phone"], LONGEST_PHONE),
        "address": _long(address, LONGEST_ADDRESS)
        or ("Remove the invisible control characters." if has_control(address.replace("\n", " ")) else ""),
        "time_zone": "" if values["time_zone"] in time_zones() else "Choose one of the list, such as Europe/Paris.",
        "currency": "The currency stays: the partner is billed in it already."
        if fixed
        else ("" if known else "Give the code of a currency in use, such as EUR or USD."),
    }
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _long(text: str, longest: int) -> str:
    return f"Use at most {longest:,} characters; this has {len(text):,}." if len(text) > longest else ""
