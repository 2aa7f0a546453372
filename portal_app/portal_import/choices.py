"""What people choose before an import: where a region's accounts go, how a status's begin, whether digits stay."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal_app.auth.actor import Actor
from portal_app.errors import Invalid
from portal_app.models import DataCenter, Partner, SubscriptionType
from portal_app.portal_import.reading import Customer
from portal_app.text import fold

LEAVE = "leave"
_WORDS = {"us_est": "us-virginia", "us_east": "us-virginia", "us": "us-virginia", "uk": "uk-london"}
# Words that say which data center is meant only together with another.
_VAGUE = {"us", "eu", "east", "west", "est", "central", "north", "south", "asia", "pacific"}


@dataclass(slots=True)
class Choices:
    """By the words of the portal: a data center's id, how an account begins (or LEAVE); whether digits are left out."""

    regions: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    digits: bool = False

    def as_json(self) -> dict[str, Any]:
        """To be kept."""
        return {"regions": self.regions, "statuses": self.statuses, "digits": self.digits}


@dataclass(frozen=True, slots=True)
class Order:
    """Who imports, from where, and what they chose."""

    actor: Actor
    source: str
    choices: Choices


def kept(given: Mapping[str, Any]) -> Choices:
    """Choices that were kept."""
    return Choices(dict(given.get("regions", {})), dict(given.get("statuses", {})), bool(given.get("digits")))


def first(customers: Sequence[Customer], partner: Partner, centers: Sequence[DataCenter]) -> Choices:
    """What stands there before anybody chose: regions by their words, subscribed accounts stay subscribed."""
    default = next((one for one in centers if one.id == partner.default_data_center_id), centers[0])
    regions = {word: (center_of(word, centers) or default).id or 0 for word in _words(one.region for one in customers)}
    plan = partner.default_subscription
    begins = plan if plan in (SubscriptionType.MONTHLY, SubscriptionType.ANNUAL) else SubscriptionType.MONTHLY
    usual = {"ACTIVE": str(begins), "TRIAL": str(SubscriptionType.TRIAL)}
    return Choices(regions, {word: usual.get(word, LEAVE) for word in _words(one.status for one in customers)})


def checked(given: Mapping[str, Any], before: Choices, centers: Sequence[DataCenter]) -> Choices:
    """The choices of the form, for the words that there are. Raises Invalid."""
    known, begins = {center.id for center in centers}, {LEAVE, *map(str, SubscriptionType)}
    regions = {word: given.get("regions", {}).get(word, was) for word, was in before.regions.items()}
    statuses = {word: given.get("statuses", {}).get(word, was) for word, was in before.statuses.items()}
    if not set(regions.values()) <= known or not set(statuses.values()) <= begins:
        raise Invalid("Choose one of those in the list.")
    return Choices(regions, statuses, bool(given.get("digits")))


def center_of(region: str, centers: Sequence[DataCenter]) -> DataCenter | None:
    """The data center that a region's word means; None when no single one."""
    word = fold(region)
    by_code = {fold(center.code): center for center in centers}
    if found := by_code.get(_WORDS.get(word, word.replace("_", "-"))):
        return found
    telling = [part for part in word.replace("-", "_").split("_") if len(part) > 1 and part not in _VAGUE]
    meant = [center for center in centers if any(part in fold(f"{center.code} {center.name}") for part in telling)]
    return meant[0] if len(meant) == 1 else None


def _words(found: Any) -> list[str]:
    """The words there are, the most frequent first."""
    return [word for word, _ in Counter(found).most_common(100)]
