"""How a page of accounts is found with the fewest rows read: from the kept totals it is known where matches lie."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from portal_app.accounts.query import AccountQuery
from portal_app.accounts.rows import Total, Totals

# What the order has to walk past costs about so much more than what is found by the filter and sorted.
WORTH_SORTING = 4
_STATUSES = {"status": "status", "backup": "backup_status", "billing": "billing_status"}


@dataclass(frozen=True, slots=True)
class Part:
    """`count` rows behind the first `skip`; `backwards` from the end of the list, in its reverse order.

    `first_value` is the first status of the order at which to begin. `by_filter`: let the filter's index find the
    matches and sort them, instead of walking through the order's index until enough match.
    """

    skip: int
    count: int
    backwards: bool = False
    first_value: str = ""
    by_filter: bool = False


def that_match(totals: Totals, query: AccountQuery) -> Totals:
    """The combinations of statuses that fit the filters."""
    return _that_match(totals, query.status, query.backup, query.billing)


@lru_cache(256)
def _that_match(totals: Totals, *asked: str) -> Totals:
    return Totals(t for t in totals if all(a in ("", s) for a, s in zip(asked, _states(t), strict=True)))


def plan(query: AccountQuery, matching: int, totals: Totals | None) -> Part:
    """The part of the list to read. Without totals (a search) nothing is known of where the matches lie."""
    skip = (query.page - 1) * query.size
    count = query.size if totals is None else max(0, min(query.size, matching - skip))
    if totals is None or matching == 0 or count == 0:
        return Part(skip, count if matching else 0)
    end = matching - skip - count
    backwards = end < skip
    skip, first_value = _begin(query, totals, min(skip, end), query.descending != backwards)
    walked = (skip + count) * _walked(query, totals) / matching
    return Part(skip, count, backwards, first_value, walked > WORTH_SORTING * _fewest(query, totals))


def _begin(query: AccountQuery, totals: Totals, skip: int, descending: bool) -> tuple[int, str]:
    """Sorted by a status: whole statuses that are skipped need not be read."""
    if query.sort not in _STATUSES or _asked(query)[query.sort]:
        return skip, ""
    counts = _counts(that_match(totals, query), query.sort)
    for value in sorted(counts, reverse=descending):
        if skip < counts[value]:
            return skip, value
        skip -= counts[value]
    return skip, ""


def _walked(query: AccountQuery, totals: Totals) -> int:
    """How many rows the index of the order holds: those of one status where the index begins with it."""
    if query.sort == "name" or _asked(query).get(query.sort):
        return _fewest(query, totals)
    return totals.accounts


def _fewest(query: AccountQuery, totals: Totals) -> int:
    """How many rows the most selective single filter leaves."""
    left = [_counts(totals, name)[value] for name, value in _asked(query).items() if value]
    return min(left, default=totals.accounts)


def _asked(query: AccountQuery) -> dict[str, str]:
    return {"status": query.status, "backup": query.backup, "billing": query.billing}


@lru_cache(256)
def _counts(totals: Totals, name: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for total in totals:
        counts[getattr(total, _STATUSES[name])] += total.accounts
    return counts


def _states(total: Total) -> tuple[str, str, str]:
    return total.status, total.backup_status, total.billing_status
