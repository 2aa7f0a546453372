"""What the console's lists are asked for. It is also their pages' address."""

from dataclasses import dataclass
from typing import Any, ClassVar

from portal_app.models import PartnerState, UserState
from portal_app.paging import ListQuery

PARTNERS = "/operator"
PARTNER = "/operator/partners"
OPERATORS = "/operator/operators"
ACCESS = {"open": "Partner and customer", "taken": "Only the customer"}


def partner_path(code: str, tab: str = "") -> str:
    """The address of a partner's page, or of one of its tabs."""
    return f"{PARTNER}/{code}" + (f"/{tab}" if tab else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerQuery(ListQuery):
    """A question for partners."""

    SORTS = ("code", "name", "state", "currency", "accounts", "users", "since")
    ORDER = "code"
    FILTERS: ClassVar = {"state": list(PartnerState)}

    state: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(PARTNERS, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsQuery(ListQuery):
    """A question for the accounts of the partner `code`."""

    SORTS = ("name", "email", "status", "access")
    ORDER = "name"
    FILTERS: ClassVar = {"access": list(ACCESS)}

    code: str
    access: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(partner_path(self.code, "accounts"), **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorQuery(ListQuery):
    """A question for the provider's people."""

    SORTS = ("email", "two_factor", "last", "state")
    ORDER = "email"
    FILTERS: ClassVar = {"state": list(UserState)}

    state: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(OPERATORS, **changes)
