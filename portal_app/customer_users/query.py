"""What the list of a customer's users is asked for. It is also the page's address."""

from dataclasses import dataclass
from typing import Any, ClassVar

from portal_app.models import UserState
from portal_app.paging import ListQuery


def path_of(account_id: int) -> str:
    """The address of an account's list of users."""
    return f"/accounts/{account_id}/users"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUserQuery(ListQuery):
    """A question for an account's users."""

    SORTS = ("email", "name", "two_factor", "last", "state")
    ORDER = "email"
    FILTERS: ClassVar = {"state": list(UserState)}

    account_id: int = 0
    state: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(path_of(self.account_id), **changes)
