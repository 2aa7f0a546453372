"""What the provider does: adds operators and partners."""

import re
from dataclasses import dataclass, replace
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.accounts.data_centers import ensure_data_centers
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth import passwords
from portal_app.auth.actor import Actor
from portal_app.billing.default_prices import ensure_price_books
from portal_app.billing.operators import note
from portal_app.demo import service as demo
from portal_app.deployment import is_demo_operator
from portal_app.errors import Conflict, Invalid
from portal_app.models import Partner, Role, User, UserKind, UserState
from portal_app.money import currencies
from portal_app.text import clean, email_fault, name_fault, normal_email
from portal_app.users import invitations

_CODE = re.compile(r"[A-Z0-9]{3,20}")


@dataclass(frozen=True, slots=True)
class NewPartner:
    """A partner and its first administrator, as typed. The currency is an ISO 4217 code."""

    code: str
    name: str
    currency: str
    time_zone: str
    admin_email: str
    admin_name: str
    # Empty: the administrator is invited by mail and chooses one.
    password: str = ""

    def cleaned(self) -> "NewPartner":
        return replace(
            self,
            code=clean(self.code).upper(),
            name=clean(self.name),
            currency=clean(self.currency).upper(),
            time_zone=clean(self.time_zone),
            admin_email=clean(self.admin_email),
            admin_name=clean(self.admin_name),
        )


def create_operator(session: Session, actor: Actor, email: str, name: str, password: str) -> User:
    """Add a person of the provider. Raises Denied, Invalid (fields email, name, password), Conflict."""
    actor.require_provider()
    email, name = clean(email), clean(name)
    fault = passwords.fault_of(password, email, name)
    _refuse(email=email_fault(email), name=name_fault(name, "the operator's name"), password=fault)
    return _add_operator(session, actor, email, name, password)


def invite_operator(session: Session, actor: Actor, email: str, name: str) -> User:
    """Add a person of the provider, who is invited by mail. Raises Denied, Invalid (fields email, name), Conflict."""
    actor.require_provider()
    email, name = clean(email), clean(name)
    _refuse(email=email_fault(email), name=name_fault(name, "the operator's name"))
    return _add_operator(session, actor, email, name, "")


def _add_operator(session: Session, actor: Actor, email: str, name: str, password: str) -> User:
    user = _add_user(session, UserKind.OPERATOR, email, name, password)
    ending = "" if password else ", and an invitation sent"
    record(session, actor, Activity.USER_MANAGEMENT, f"Operator added: {email}{ending}")
    _end_demo(session, actor)
    return user


def create_partner(session: Session, actor: Actor, new: NewPartner, *, invited: bool = False) -> Partner:
    """Add a partner with its first administrator, who has the password or is `invited` by mail.

    A deployment with a real partner is no demo any more: the demo's people can't sign in from then on. What the
    demo's own operator makes belongs to the demo. Raises Denied, Invalid (by NewPartner's fields), Conflict.
    """
    actor.require_provider()
    new = new.cleaned()
    _refuse(**_faults(new, invited))
    ensure_data_centers(session)
    ensure_price_books(session)
    partner = _add_partner(session, new, is_demo=is_demo_operator(actor.email))
    _add_user(session, UserKind.PARTNER, new.admin_email, new.admin_name, new.password, partner_id=partner.id)
    ending = ", who was invited by mail" if invited else ""
    words = f"Partner {new.code} created with the administrator {new.admin_email}{ending}"
    note(session, actor, partner.id, Activity.USER_MANAGEMENT, words)
    _end_demo(session, actor)
    return partner


def _end_demo(session: Session, actor: Actor) -> None:
    """Shut the demo's people out, or let them in; their own operator does not shut out itself."""
    if not is_demo_operator(actor.email):
        demo.set_open(session, demo.is_wanted(session))


def _refuse(**faults: str) -> None:
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _faults(new: NewPartner, invited: bool) -> dict[str, str]:
    known_zone = new.time_zone in available_timezones()
    return {
        "code": "" if _CODE.fullmatch(new.code) else "Use 3 to 20 letters A-Z and digits, such as ACME01.",
        "name": name_fault(new.name, "the partner's name"),
        "currency": "" if new.currency in currencies() else "Give the code of a currency in use, such as EUR or USD.",
        "time_zone": "" if known_zone else "Give the name of a time zone, such as Europe/Paris or America/New_York.",
        "admin_email": email_fault(new.admin_email),
        "admin_name": name_fault(new.admin_name, "the administrator's name"),
        "password": "" if invited else passwords.fault_of(new.password, new.admin_email, new.admin_name),
    }


def _add_partner(session: Session, new: NewPartner, *, is_demo: bool) -> Partner:
    taken = f"The partner ID {new.code} is in use already."
    if session.exec(select(Partner.id).where(col(Partner.code) == new.code)).first() is not None:
        raise Conflict(taken, code=taken)
    partner = Partner(
        code=new.code,
        name=new.name,
        currency=new.currency,
        time_zone=new.time_zone,
        email=new.admin_email,
        is_demo=is_demo,
        created_at=clock.now(),
    )
    _flush(session, partner, code=taken)
    return partner


def _add_user(
    session: Session, kind: UserKind, email: str, name: str, password: str, *, partner_id: int | None = None
) -> User:
    key = normal_email(email)
    taken, field = f"A user with the email {email} exists already.", "email" if partner_id is None else "admin_email"
    if session.exec(select(User.id).where(col(User.email_key) == key)).first() is not None:
        raise Conflict(taken, **{field: taken})
    user = User(
        kind=kind,
        partner_id=partner_id,
        email=email,
        email_key=key,
        name=name,
        password_hash=passwords.hash_password(password) if password else None,
        state=UserState.ACTIVE if password else UserState.INVITED,
        role=Role.ADMINISTRATOR if kind == UserKind.PARTNER else Role.CUSTOM,
        created_at=clock.now(),
    )
    _flush(session, user, **{field: taken})
    if not password:
        invitations.invite(session, user)
    return user


def _flush(session: Session, row: Partner | User, **taken: str) -> None:
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        # Somebody else took it between the look and this.
        raise Conflict(*taken.values(), **taken) from None
