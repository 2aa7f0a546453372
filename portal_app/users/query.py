"""What the list of users is asked for. It is also the page's address."""

from dataclasses import dataclass
from typing import Any, ClassVar

from portal_app.models import Role, SignInType, UserState
from portal_app.paging import ListQuery

PATH = "/settings/users"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserQuery(ListQuery):
    """A question for users."""

    SORTS = ("email", "type", "two_factor", "role", "last", "state")
    ORDER = "email"
    FILTERS: ClassVar = {"type": list(SignInType), "role": list(Role), "state": list(UserState)}

    type: str = ""
    role: str = ""
    state: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(PATH, **changes)
