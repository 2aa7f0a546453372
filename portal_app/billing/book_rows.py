"""All that an operator's page may see of price books, and what is typed into its form."""

from dataclasses import dataclass, field
from datetime import date

from portal_app.billing.pricing import Tier


@dataclass(frozen=True, slots=True)
class BookRow:
    """A book in the list. `partner` is the code of the only one it is for; empty: everybody of the currency."""

    id: int
    name: str
    currency: str
    partner: str
    valid_from: date
    services: int
    tax_bp: int
    # Whether it is the one that holds today.
    holds: bool


@dataclass(frozen=True, slots=True)
class PriceText:
    """A service's price as typed: "2.50; 100: 2.20" is 2.50 each, and 2.20 for each of those above 100."""

    basis: str = "unit"
    tiers: str = ""


@dataclass(frozen=True, slots=True)
class BookForm:
    """A book as typed. `partner` is a partner's code, or empty; `prices` are by the service's key."""

    name: str = ""
    currency: str = ""
    partner: str = ""
    valid_from: str = ""
    minimum: str = "0"
    discount: str = "0"
    tax: str = "0"
    prices: dict[str, PriceText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A checked price."""

    service: str
    basis: str
    tiers: tuple[Tier, ...]
