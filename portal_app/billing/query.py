"""The address of Billing > Status: the question for accounts, asked of another page than the dashboard."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from portal_app.accounts.query import AccountQuery

PATH = "/billing/status"
SORTS = ("name", "email", "billing", "status", "amount")


def address(query: AccountQuery, **changes: Any) -> str:
    """The page's address for the query with these changes; a change other than of the page goes to page 1."""
    asked = replace(query, **{"page": 1} | changes).parameters()
    return f"{PATH}?{urlencode(asked)}" if asked else PATH


def shown(query: AccountQuery) -> AccountQuery:
    """The query as far as this page asks it: it neither shows nor filters backups."""
    return replace(query, backup="", sort=query.sort if query.sort in SORTS else "name")
