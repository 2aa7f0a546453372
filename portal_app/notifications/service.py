"""The rules of Notifications: who may choose them, what can be taken, what is audited."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from portal_app import clock, text
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import operators
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.mail import service as mail
from portal_app.models import DetailForm, Frequency, NotificationRecipient, NotificationSettings, Partner, RadarForm
from portal_app.notifications import letters, repository
from portal_app.notifications.rows import KINDS, GeneralForm, Overview, RecipientForm

MOST_RECIPIENTS = 50
FOR_ALL_ONLY = "Notifications tell of all accounts; you see some of them. Ask somebody who sees all."
_UNKNOWN = "There is no such recipient. Somebody may have deleted it."
_RADAR = ("radar_address", "radar_form")


def overview(session: Session, actor: Actor) -> Overview:
    """The page of the actor's partner. Raises Denied."""
    partner = _partner(session, actor)
    found = session.get(NotificationSettings, partner.id)
    return Overview(
        repository.recipients(session, partner.id or 0),
        repository.general(found),
        found is not None and found.radar_enabled,
        partner.time_zone,
    )


def add(session: Session, actor: Actor, form: RecipientForm) -> None:
    """Add a recipient. Raises Denied, and Invalid by the form's fields."""
    partner = _partner(session, actor, lock=True)
    mine = select(func.count()).where(col(NotificationRecipient.partner_id) == partner.id)
    if (session.scalar(mine) or 0) >= MOST_RECIPIENTS:
        raise Invalid(f"There are {MOST_RECIPIENTS} recipients already. Use a distribution list for more.")
    _keep(session, actor, NotificationRecipient(partner_id=partner.id, created_at=clock.now()), form)


def change(session: Session, actor: Actor, recipient_id: int, form: RecipientForm) -> None:
    """Change a recipient. Raises Denied, NotFound, and Invalid by the form's fields."""
    _keep(session, actor, _recipient(session, actor, recipient_id), form)


def delete(session: Session, actor: Actor, recipient_id: int) -> None:
    """Delete a recipient. Raises Denied, NotFound."""
    found = _recipient(session, actor, recipient_id)
    session.delete(found)
    _audit(session, actor, f"Deleted notification recipient {found.email}")


def save_general(session: Session, actor: Actor, form: GeneralForm) -> bool:
    """Keep the general settings; False when nothing is new. Raises Denied, and Invalid by the form's fields.

    What the form says of Backup Radar counts only once an operator has turned that on.
    """
    partner = _partner(session, actor, lock=True)
    kept = settings_of(session, partner.id or 0)
    values = {
        "frequency": form.frequency,
        "exceptions_only": form.content == "exceptions",
        "detail": form.detail,
        "radar_address": text.clean(form.radar_address),
        "radar_form": form.radar_form,
    }
    if not kept.radar_enabled:
        values = {name: value for name, value in values.items() if name not in _RADAR}
    _check(form, values)
    changed = [name for name, value in values.items() if getattr(kept, name) != value]
    for name in changed:
        setattr(kept, name, values[name])
    if "radar_address" in changed:
        # The new address hears of what comes from now on.
        kept.radar_until = clock.now()
    if changed:
        session.add(kept)
        words = ", ".join(name.replace("_", " ") for name in changed)
        _audit(session, actor, f"Updated notification settings: {words}")
    return bool(changed)


def send_test(session: Session, actor: Actor) -> int:
    """Mail a test to every recipient; gives to how many. Clicks of one minute are one mail.

    Raises Denied, and Conflict without a recipient.
    """
    partner = _partner(session, actor)
    to = repository.recipients(session, partner.id or 0)
    if not to:
        raise Conflict("There is nobody to send it to. Add a recipient first.")
    given = repository.general(session.get(NotificationSettings, partner.id))
    minute = f"{clock.now():%Y-%m-%dT%H:%M}"
    mail.queue_all(
        session,
        (
            mail.NewMail(
                one.email,
                letters.test(one, given, partner, actor.label),
                letters.KIND,
                partner.id,
                f"notification test:{partner.id}:{one.id}:{minute}",
            )
            for one in to
        ),
    )
    count = f"{len(to)} {'recipient' if len(to) == 1 else 'recipients'}"
    record(session, actor, Activity.NOTIFICATION, f"Test notification sent to {count}")
    return len(to)


def is_radar_on(session: Session, actor: Actor, code: str) -> bool:
    """Whether Backup Radar is turned on for the partner. For operators. Raises Denied, NotFound."""
    found = session.get(NotificationSettings, _by_code(session, actor, code).id)
    return found is not None and found.radar_enabled


def turn_radar(session: Session, actor: Actor, code: str, on: bool) -> None:
    """Turn Backup Radar on or off for a partner. For operators. Raises Denied, NotFound."""
    partner = _by_code(session, actor, code)
    kept = settings_of(session, partner.id or 0)
    if kept.radar_enabled != on:
        kept.radar_enabled, kept.radar_until = on, clock.now()
        session.add(kept)
        said = f"Backup Radar turned {'on' if on else 'off'} for {partner.code}"
        operators.note(session, actor, partner.id, Activity.SETTINGS_CHANGED, said)


def settings_of(session: Session, partner_id: int) -> NotificationSettings:
    """The partner's settings, new ones for who never chose. The caller holds the partner's row."""
    return session.get(NotificationSettings, partner_id) or NotificationSettings(partner_id=partner_id)


def _keep(session: Session, actor: Actor, recipient: NotificationRecipient, form: RecipientForm) -> None:
    email, name = text.clean(form.email), text.clean(form.name)
    key = text.normal_email(email)
    faults = {
        "email": text.email_fault(email) or _taken(session, recipient, key),
        "name": text.name_fault(name, "the name by which mails call this person"),
        "kinds": "" if set(form.kinds) & KINDS.keys() else "Choose at least one.",
    }
    _refuse(faults)
    if "summary" in form.kinds and not repository.readers(session, "summary", [recipient.partner_id]):
        _begin_summaries(session, recipient.partner_id)
    recipient.email, recipient.email_key, recipient.name = email, key, name
    for kind in KINDS:
        setattr(recipient, kind, kind in form.kinds)
    session.add(recipient)
    session.flush()
    _audit(session, actor, f"Updated notification preferences for {email}")


def _begin_summaries(session: Session, partner_id: int) -> None:
    """Nobody read them until now: the first one is not to tell of all the time since the last."""
    kept = session.get(NotificationSettings, partner_id)
    if kept is not None:
        kept.summarised_until = None
        session.add(kept)


def _taken(session: Session, recipient: NotificationRecipient, key: str) -> str:
    of = NotificationRecipient
    same = (
        col(of.partner_id) == recipient.partner_id,
        col(of.email_key) == key,
        col(of.id).is_distinct_from(recipient.id),
    )
    return "This address is on the list already." if session.exec(select(of.id).where(*same)).first() else ""


def _check(form: GeneralForm, values: dict[str, object]) -> None:
    address = str(values.get("radar_address", ""))
    _refuse(
        {
            "frequency": "" if form.frequency in list(Frequency) else "Choose how often.",
            "content": "" if form.content in ("full", "exceptions") else "Choose what is in it.",
            "detail": "" if form.detail in list(DetailForm) else "Choose how the CSV comes.",
            "radar_address": text.email_fault(address) if address else "",
            "radar_form": "" if form.radar_form in list(RadarForm) else "Choose CSV or zip.",
        }
    )


def _refuse(faults: dict[str, str]) -> None:
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _partner(session: Session, actor: Actor, *, lock: bool = False) -> Partner:
    actor.require(Permission.NOTIFICATIONS_MANAGE)
    if not actor.all_accounts:
        raise Denied(FOR_ALL_ONLY)
    mine = select(Partner).where(col(Partner.id) == actor.partner_id)
    partner = session.exec(mine.with_for_update(key_share=True) if lock else mine).first()
    if partner is None:
        raise NotFound("There is no such partner.")
    return partner


def _by_code(session: Session, actor: Actor, code: str) -> Partner:
    actor.require_provider()
    found = session.exec(select(Partner).where(col(Partner.code) == code).with_for_update(key_share=True)).first()
    if found is None:
        raise NotFound("There is no such partner.")
    return found


def _recipient(session: Session, actor: Actor, recipient_id: int) -> NotificationRecipient:
    partner = _partner(session, actor, lock=True)
    found = session.get(NotificationRecipient, recipient_id)
    if found is None or found.partner_id != partner.id:
        raise NotFound(_UNKNOWN)
    return found


def _audit(session: Session, actor: Actor, words: str) -> None:
    record(session, actor, Activity.SETTINGS_CHANGED, words)
