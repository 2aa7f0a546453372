"""Who of a partner hears of what."""

from collections import defaultdict
from collections.abc import Collection

from sqlmodel import Session, col, select

from portal_app.models import NotificationRecipient, NotificationSettings
from portal_app.notifications.rows import KINDS, GeneralForm, Reader, Recipient


def recipients(session: Session, partner_id: int) -> list[Recipient]:
    """All of the partner, by display name."""
    mine = select(NotificationRecipient).where(col(NotificationRecipient.partner_id) == partner_id)
    found = session.exec(mine.order_by(col(NotificationRecipient.name), col(NotificationRecipient.id)))
    return [Recipient(one.id or 0, one.email, one.name, kinds_of(one)) for one in found]


def kinds_of(recipient: NotificationRecipient) -> tuple[str, ...]:
    """The keys of what the recipient gets."""
    return tuple(kind for kind in KINDS if getattr(recipient, kind))


def readers(session: Session, kind: str, partner_ids: Collection[int] | None = None) -> dict[int, list[Reader]]:
    """By partner, who gets this kind of mail; partners without any are left out. `partner_ids`: only of these."""
    wanted = select(NotificationRecipient).where(getattr(NotificationRecipient, kind))
    if partner_ids is not None:
        wanted = wanted.where(col(NotificationRecipient.partner_id).in_(partner_ids))
    found: dict[int, list[Reader]] = defaultdict(list)
    for one in session.exec(wanted.order_by(col(NotificationRecipient.id))):
        found[one.partner_id].append(Reader(one.id or 0, one.email, one.name))
    return found


def general(found: NotificationSettings | None) -> GeneralForm:
    """The settings as the form shows them; the defaults for a partner that never chose."""
    if found is None:
        return GeneralForm()
    content = "exceptions" if found.exceptions_only else "full"
    return GeneralForm(found.frequency, content, found.detail, found.radar_address, found.radar_form)
