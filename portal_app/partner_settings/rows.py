"""All that the page of a partner's account settings may see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountForm:
    """What the form sends. `subscription` is one of SubscriptionType."""

    email: str = ""
    name: str = ""
    address: str = ""
    phone: str = ""
    time_zone: str = ""
    subscription: str = ""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What is saved, with the default storage location in words and the others there are."""

    code: str
    form: AccountForm
    location: str
    other_locations: tuple[str, ...]
