"""What the portal asks of a payment processor, in its own words. Every call goes over the network and may block.

Whoever calls holds no transaction. Each order carries its idempotency key: the same order sent twice is done once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from portal_app.models import AttemptKind, PaymentKind


class Silent(Exception):
    """No answer that can be believed: whether it was done is unknown."""


class Refused(Exception):
    """The processor doesn't take the order: nothing was done, and nothing will be. `reason` may be shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forged(Exception):
    """A message that the processor did not sign."""


class Outcome(StrEnum):
    """How an order stands. OPEN: the customer is still on the page, or the processor at work."""

    OPEN = "open"
    TAKEN = "taken"
    DECLINED = "declined"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt as the processor is told of it. The same attempt always makes the same order.

    `customer` and `token` name the partner and its card at the processor, `reference` the payment: for a refund the
    one to give back, for others the one made by this order, once it is known. `amount_minor` is positive.
    """

    key: str
    kind: AttemptKind
    amount_minor: int
    currency: str
    description: str
    customer: str = ""
    token: str = ""
    reference: str = ""
    return_url: str = ""
    cancel_url: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an order ended; `reason` is a sentence for the customer, `reference` the processor's name of the payment."""

    outcome: Outcome
    reference: str = ""
    reason: str = ""
    kind: PaymentKind = PaymentKind.CARD


@dataclass(frozen=True, slots=True)
class Page:
    """A hosted page, and the processor's name of it."""

    url: str
    reference: str


@dataclass(frozen=True, slots=True)
class StoredCard:
    """A card that a customer stored on the hosted page, and whose it is."""

    partner_id: int
    token: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A signed message, which is only a reason to ask: about an attempt (its key) or a stored card (its page)."""

    id: str
    key: str = ""
    setup: str = ""


class Gateway(Protocol):
    """Raises Silent or Refused. What isn't told by a result is told by those."""

    name: str

    def customer(self, partner_id: int, name: str, email: str, known: str) -> str:
        """The processor's name of the partner; `known` is the one that it had, perhaps at another processor."""
        ...

    def checkout(self, order: Order) -> Page:
        """A hosted page where the amount is paid by card or PayPal."""
        ...

    def charge(self, order: Order) -> Answer:
        """Take the amount from the stored card without the customer."""
        ...

    def refund(self, order: Order) -> Answer:
        """Give the amount of an earlier payment back."""
        ...

    def find(self, order: Order) -> Answer | None:
        """How the order stands; None when it never arrived."""
        ...

    def close(self, order: Order) -> Answer:
        """Close the order's hosted page: ENDED, or how the order had ended before."""
        ...

    def setup(self, customer: str, partner_id: int, return_url: str, cancel_url: str) -> Page:
        """A hosted page where a card is stored. `{setup}` in the address to return to becomes the page's name."""
        ...

    def stored(self, setup: str) -> StoredCard | None:
        """The card that was stored on the page; None as long as there is none."""
        ...

    def forget(self, token: str) -> None:
        """Forget a stored card."""
        ...

    def notice(self, body: bytes, headers: Mapping[str, str]) -> Notice | None:
        """The message in it; None for one that is no concern of the portal's. Raises Forged."""
        ...

    def is_page(self, url: str) -> bool:
        """Whether the address is one of the processor's hosted pages."""
        ...
