"""All that a page may see of webhooks: never their secrets, nor what they were told."""

from dataclasses import dataclass
from datetime import datetime

from portal_app.models import DeliveryState


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One webhook; `turned_off` says why the portal turned it off. `last_…` are of its latest delivery."""

    id: int
    url: str
    events: tuple[str, ...]
    active: bool
    turned_off: str
    last_state: DeliveryState | None
    last_fault: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One telling and how it stands. `next_at` is when it is tried again."""

    id: int
    event: str
    event_id: str
    state: DeliveryState
    attempts: int
    status: int | None
    fault: str
    took_ms: int | None
    made_at: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Log:
    """The latest deliveries of a webhook."""

    webhook_id: int
    url: str
    active: bool
    rows: list[DeliveryRow]
