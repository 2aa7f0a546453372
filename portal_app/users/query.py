"""What the list of users is asked for: search, filters, order, page. It is also the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from portal_app.models import Role, SignInType, UserState
from portal_app.paging import PAGE_SIZES, page_number, page_size

PATH = "/settings/users"
SORTS = ("email", "type", "two_factor", "role", "last", "state")
LONGEST_SEARCH = 120


@dataclass(frozen=True, slots=True)
class UserQuery:
    """A question for users; empty text asks for all."""

    search: str = ""
    type: str = ""
    role: str = ""
    state: str = ""
    sort: str = "email"
    descending: bool = False
    page: int = 1
    size: int = PAGE_SIZES[0]

    @classmethod
    def from_address(cls, values: Mapping[str, Any]) -> "UserQuery":
        """The query of an address; what it can't read is as if it weren't there."""
        texts = {key: value if isinstance(value, str) else "" for key, value in values.items()}
        order = texts.get("sort", "")
        known = order.removeprefix("-") in SORTS
        return cls(
            search=texts.get("search", "")[:LONGEST_SEARCH],
            type=_known(texts.get("type", ""), SignInType),
            role=_known(texts.get("role", ""), Role),
            state=_known(texts.get("state", ""), UserState),
            sort=order.removeprefix("-") if known else "email",
            descending=known and order.startswith("-"),
            page=page_number(texts.get("page", "")),
            size=page_size(texts.get("size", "")),
        )

    @property
    def filtered(self) -> bool:
        return bool(self.search.strip() or self.type or self.role or self.state)

    def address(self, **changes: Any) -> str:
        """The list's address for the query with these changes; a change other than of the page goes to page 1."""
        asked = replace(self, page=changes.pop("page", 1), **changes)._parameters()
        return f"{PATH}?{urlencode(asked)}" if asked else PATH

    def _parameters(self) -> dict[str, str]:
        order = ("-" if self.descending else "") + self.sort
        values = {
            "search": self.search,
            "type": self.type,
            "role": self.role,
            "state": self.state,
            "sort": order if order != "email" else "",
            "page": str(self.page) if self.page > 1 else "",
            "size": str(self.size) if self.size != PAGE_SIZES[0] else "",
        }
        return {key: value for key, value in values.items() if value}


def _known(value: str, kind: type[StrEnum]) -> str:
    return value if value in list(kind) else ""
