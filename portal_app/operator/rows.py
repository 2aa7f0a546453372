"""All that an operator's page may see of partners, their people and accounts."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """One partner with the number of its accounts and users."""

    id: int
    code: str
    name: str
    state: str
    currency: str
    accounts: int
    users: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PartnerPage:
    """A page of partners; how many match, and how many there are."""

    rows: list[PartnerRow]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class PartnerForm:
    """What an operator may change of a partner."""

    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    time_zone: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PartnerHead:
    """What stands above each page of a partner."""

    id: int
    code: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody of a partner, or of the provider. `second_factor`: "2FA", "Passkey", both, or nothing."""

    id: int
    version: int
    email: str
    name: str
    role: str
    state: str
    two_factor: bool
    passkey: bool
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A page of people; how many match, and how many there are."""

    rows: list[PersonRow]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class PartnerDetails:
    """A partner as its overview shows it."""

    head: PartnerHead
    form: PartnerForm
    currency_fixed: bool
    ip_restricted: bool
    trusted: int
    accounts: int
    taken: int
    created_at: datetime
    last_sign_in_at: datetime | None
    people: list[PersonRow]
    people_total: int


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """An account of a partner, and who may open it. `own_users`: how many of the customer's own can sign in."""

    id: int
    name: str
    email: str
    status: str
    partner_access: bool
    own_users: int


@dataclass(frozen=True, slots=True)
class AccountAccessPage:
    """A page of them; how many match, and how many there are."""

    rows: list[AccountAccess]
    matching: int
    total: int
