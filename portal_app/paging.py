"""Lists: what is asked of one, which is also its page's address, and its pages."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

PAGE_SIZES = (25, 50, 100)
LONGEST_SEARCH = 120


def page_size(text: str) -> int:
    """The page size that was asked for, if it is one of those offered."""
    return next((size for size in PAGE_SIZES if text == str(size)), PAGE_SIZES[0])


def page_number(text: str) -> int:
    """The page that was asked for, from 1; nonsense gives the first."""
    return max(1, int(text)) if text.isdecimal() and len(text) <= 9 else 1


def pages_of(rows: int, size: int) -> int:
    """How many pages the rows fill; at least one."""
    return max(1, -(-rows // size))


def counted(matching: int, total: int, what: str, *, more: bool = False) -> str:
    """Such as "3 of 60 users"; `more`: it was not counted further."""
    return f"{matching:,}{'+' if more else ''} of {total:,} {what if total == 1 else f'{what}s'}"


class Matching(Collection[str]):
    """The values of a filter that only the database knows: whatever looks like one."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self._pattern.fullmatch(text) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A question for a list; empty text asks for all. Each list has its filters as further fields.

    `ORDER` is the first order, such as "-issued"; `FILTERS` are the values that each filter knows.
    """

    SORTS: ClassVar[tuple[str, ...]]
    ORDER: ClassVar[str]
    FILTERS: ClassVar[Mapping[str, Collection[str]]]

    search: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 1
    size: int = PAGE_SIZES[0]

    @classmethod
    def from_address(cls, values: Mapping[str, Any], **given: Any) -> Self:
        """The query of an address; what it can't read is as if it weren't there."""
        texts = {key: value for key, value in values.items() if isinstance(value, str)}
        order = texts.get("sort", "")
        order = order if order.removeprefix("-") in cls.SORTS else cls.ORDER
        filters = {name: texts[name] for name, known in cls.FILTERS.items() if texts.get(name, "") in known}
        return cls(
            search=texts.get("search", "")[:LONGEST_SEARCH],
            sort=order.removeprefix("-"),
            descending=order.startswith("-"),
            page=page_number(texts.get("page", "")),
            size=page_size(texts.get("size", "")),
            **filters,
            **given,
        )

    @property
    def filters(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.FILTERS}

    @property
    def filtered(self) -> bool:
        return bool(self.search.strip() or any(self.filters.values()))

    def parameters(self) -> dict[str, str]:
        """The query as parameters of an address, defaults left out."""
        order = ("-" if self.descending else "") + self.sort
        values = {
            "search": self.search,
            **self.filters,
            "sort": order if order != self.ORDER else "",
            "page": str(self.page) if self.page > 1 else "",
            "size": str(self.size) if self.size != PAGE_SIZES[0] else "",
        }
        return {key: value for key, value in values.items() if value}

    def asked(self, **changes: Any) -> dict[str, str]:
        """The parameters with these changes; a change other than of the page goes to page 1."""
        return replace(self, **{"page": 1} | changes).parameters()

    def at(self, path: str, **changes: Any) -> str:
        """The list's address for the query with these changes."""
        asked = self.asked(**changes)
        return f"{path}?{urlencode(asked)}" if asked else path

    def address(self, **changes: Any) -> str:
        """The address of the list's own page for the query with these changes."""
        raise NotImplementedError

    def shown(self, pages: int) -> dict[str, Any]:
        """What the list's page shows of the query, by the names of its state's variables."""
        turned = {key: key == self.sort and not self.descending for key in self.SORTS}
        return self.filters | {
            "search": self.search,
            "filtered": self.filtered,
            "sort": self.sort,
            "descending": self.descending,
            "page": self.page,
            "pages": pages,
            "size": self.size,
            "previous_href": self.address(page=max(1, self.page - 1)),
            "next_href": self.address(page=self.page + 1),
            "sort_hrefs": {key: self.address(sort=key, descending=down) for key, down in turned.items()},
        }
