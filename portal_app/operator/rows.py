"""All that an operator's page may see of partners."""

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
