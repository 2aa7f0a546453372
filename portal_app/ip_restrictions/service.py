"""The rules of IP Restrictions. Whoever changes them can't lock themselves out, whatever others do meanwhile."""

from collections.abc import Sequence

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select, update
from sqlmodel import Session, col

from portal_app import clock, text
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, ActorKind, elsewhere_sentence
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.ip_restrictions import addresses, letters, repository
from portal_app.ip_restrictions.rows import Entry, EntryForm, Overview
from portal_app.mail import service as mail
from portal_app.models import Partner, PartnerChange, TrustedAddress, TrustedSpan

MOST_ENTRIES = 100
# Of a partner in all: the look at each event stays well below a millisecond.
MOST_SPANS = 1_000
_UNKNOWN = "There is no such entry. Somebody may have deleted it."


def overview(session: Session, actor: Actor) -> Overview:
    """The partner's list as the actor sees it."""
    actor.require(Permission.SECURITY_MANAGE)
    partner = session.get(Partner, actor.partner_id) if actor.partner_id is not None else None
    if partner is None:
        raise NotFound("There is no such partner.")
    return Overview(
        addresses.shown(actor.origin.address),
        repository.is_trusted(session, partner.id or 0, actor.origin.address),
        partner.ip_restricted,
        _entries(session, partner),
    )


def add(session: Session, actor: Actor, form: EntryForm) -> str:
    """Trust more addresses. The first ones turn the restrictions on, if the actor's own is among them.

    Gives the sentence that says what holds now. Raises Denied, and Invalid by the form's fields.
    """
    partner = _lock(session, actor)
    description, spans = _checked(form)
    before = session.scalar(select(func.count()).where(col(TrustedAddress.partner_id) == partner.id)) or 0
    if before >= MOST_ENTRIES:
        raise Invalid(f"There are {MOST_ENTRIES} entries already. Put several addresses into one.")
    entry = TrustedAddress(partner_id=partner.id, created_at=clock.now(), addresses="")
    _fill(session, entry, description, spans)
    could_be_on = not partner.ip_restricted and _is_own_trusted(session, actor, partner)
    turns_on = could_be_on and before == 0
    if turns_on:
        partner.ip_restricted = True
    _tell(session, actor, partner, f"added {_named(entry)}" + (" and turned them on" if turns_on else ""))
    if turns_on:
        return "Added. Trusted IP Addresses is on: people of your company come in from these addresses only."
    if could_be_on:
        return "Added. Trusted IP Addresses is off; with your own address on the list you can turn it on."
    return "Added." if before else "Added. Trusted IP Addresses stays off: add your own address too, then turn it on."


def change(session: Session, actor: Actor, entry_id: int, form: EntryForm) -> None:
    """Put other addresses into an entry. Raises Denied, NotFound, Invalid, and Conflict without the actor's own."""
    partner = _lock(session, actor)
    entry = _entry(session, partner, entry_id)
    description, spans = _checked(form)
    old = _named(entry)
    session.execute(delete_rows(TrustedSpan).where(col(TrustedSpan.entry_id) == entry.id))
    _fill(session, entry, description, spans)
    _keep_own(session, actor, partner)
    _tell(session, actor, partner, f"changed {old} to {_named(entry)}")


def delete(session: Session, actor: Actor, entry_id: int) -> None:
    """Trust an entry's addresses no longer. Raises Denied, NotFound, and Conflict without the actor's own."""
    partner = _lock(session, actor)
    entry = _entry(session, partner, entry_id)
    session.delete(entry)
    session.flush()
    _keep_own(session, actor, partner)
    _tell(session, actor, partner, f"deleted {_named(entry)}")


def switch(session: Session, actor: Actor, is_on: bool) -> None:
    """Turn the restrictions on or off. Raises Denied, and Conflict without the actor's own address."""
    partner = _lock(session, actor)
    if is_on and not _is_own_trusted(session, actor, partner):
        own = addresses.shown(actor.origin.address)
        raise Conflict(f"Add your own IP address {own} to the list first, or you would lock yourself out.")
    _set(session, actor, partner, is_on)


def turn_off(session: Session, actor: Actor, code: str) -> bool:
    """The way back in for a partner that locked itself out: by the provider. False when they were off."""
    actor.require_provider()
    partner = session.scalars(
        select(Partner).where(col(Partner.code) == code.strip().upper()).with_for_update(key_share=True)
    ).first()
    if partner is None:
        raise NotFound(f"There is no partner {code.strip().upper()}.")
    return _set(session, actor, partner, is_on=False)


def _lock(session: Session, actor: Actor) -> Partner:
    """The actor's partner, whose changes now come one after the other. Denied when a colleague's locked them out."""
    actor.require(Permission.SECURITY_MANAGE)
    mine = select(Partner).where(col(Partner.id) == actor.partner_id).with_for_update(key_share=True)
    partner = session.scalars(mine).first()
    if partner is None:
        raise NotFound("There is no such partner.")
    if repository.comes_from_elsewhere(session, partner, actor.origin.address):
        raise Denied(elsewhere_sentence(actor))
    return partner


def _entry(session: Session, partner: Partner, entry_id: int) -> TrustedAddress:
    entry = session.get(TrustedAddress, entry_id)
    if entry is None or entry.partner_id != partner.id:
        raise NotFound(_UNKNOWN)
    return entry


def _checked(form: EntryForm) -> tuple[str, list[addresses.Span]]:
    description = text.clean(form.description)
    fault = text.name_fault(description, "a description") if description else ""
    try:
        spans = addresses.parse(form.addresses, form.first, form.last)
    except Invalid as refusal:
        raise Invalid(**refusal.fields | ({"description": fault} if fault else {})) from None
    if fault:
        raise Invalid(description=fault)
    return description, spans


def _fill(session: Session, entry: TrustedAddress, description: str, spans: Sequence[addresses.Span]) -> None:
    entry.description, entry.addresses = description, addresses.joined(spans)
    session.add(entry)
    session.flush()
    for span in spans:
        first, last = span.keys
        session.add(TrustedSpan(entry_id=entry.id, partner_id=entry.partner_id, first=first, last=last))
    mine = col(TrustedSpan.partner_id) == entry.partner_id
    if (session.scalar(select(func.count()).where(mine)) or 0) > MOST_SPANS:
        raise Invalid(addresses=f"The list would hold more than {MOST_SPANS:,} addresses. Use ranges or networks.")


def _is_own_trusted(session: Session, actor: Actor, partner: Partner) -> bool:
    return repository.is_trusted(session, partner.id or 0, actor.origin.address)


def _keep_own(session: Session, actor: Actor, partner: Partner) -> None:
    if partner.ip_restricted and not _is_own_trusted(session, actor, partner):
        own = addresses.shown(actor.origin.address)
        raise Conflict(
            f"Without it your own IP address {own} is not on the list, and you would lock yourself out. "
            "Add it elsewhere in the list, or turn Trusted IP Addresses off first."
        )


def _set(session: Session, actor: Actor, partner: Partner, is_on: bool) -> bool:
    """Whether that was a change."""
    changes = partner.ip_restricted != is_on
    if changes:
        partner.ip_restricted = is_on
        _tell(session, actor, partner, "turned them on" if is_on else "turned them off")
    return changes


def _tell(session: Session, actor: Actor, partner: Partner, what: str) -> None:
    """The audit, the administrators, and the open pages, which then look whether they may stay."""
    session.flush()
    words = f"IP restrictions: {what}"
    record(session, actor, Activity.SETTINGS_CHANGED, words, partner_id=partner.id)
    if actor.kind == ActorKind.OPERATOR:
        record(session, actor, Activity.SETTINGS_CHANGED, f"{partner.code}: {words}")
    letter = letters.changed(partner.name, actor.label, what, partner.ip_restricted, _entries(session, partner))
    to = repository.administrators(session, partner.id or 0)
    mail.queue_all(session, [mail.NewMail(email, letter, "ip-restrictions", partner.id) for email in to])
    watched = update(PartnerChange).where(col(PartnerChange.partner_id) == partner.id)
    session.execute(watched.values(number=col(PartnerChange.number) + 1))


def _entries(session: Session, partner: Partner) -> list[Entry]:
    rows = repository.entries(session, partner.id or 0)
    return [Entry(row.id or 0, row.description, row.addresses) for row in rows]


def _named(entry: TrustedAddress) -> str:
    shown = entry.addresses if len(entry.addresses) <= 150 else f"{entry.addresses[:150]} …"
    return f"“{entry.description}” ({shown})" if entry.description else shown
