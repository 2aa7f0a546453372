"""What the states of lists share: the question lives in the address, and the answer is made from it at each load."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import reflex as rx
from reflex.state import BaseState

from portal_app.paging import ListQuery, pages_of


class Found(Protocol):
    """A page of rows; how many match in all."""

    @property
    def matching(self) -> int: ...


Q = TypeVar("Q", bound=ListQuery)
F = TypeVar("F", bound=Found)


class ListState(rx.State, mixin=True):
    """What `ui.listing` shows of a question and of its answer; the first order is the list's own."""

    count: str = ""
    pages: int = 1
    page: int = 1
    size: int = 25
    search: str = ""
    filtered: bool = False
    sort_hrefs: dict[str, str] = {}
    previous_href: str = ""
    next_href: str = ""


async def answer_to(query: Q, look: Callable[[Q], Awaitable[F]]) -> tuple[F, dict[str, Any]]:
    """The answer, and what is shown of the question; beyond the last page it is the last page's."""
    found = await look(query)
    pages = pages_of(found.matching, query.size)
    if query.page > pages:
        query = replace(query, page=pages)
        found = await look(query)
    return found, query.shown(pages)


def assign(state: BaseState, values: Mapping[str, Any]) -> None:
    """Set the variables that differ: whatever is assigned is sent again."""
    for name, value in values.items():
        if getattr(state, name) != value:
            setattr(state, name, value)
