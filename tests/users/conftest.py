"""The cast, and the databases."""

import pytest

from portal_app import db
from tests.cast import Cast, cast, make_cast

__all__ = ["cast", "office"]


@pytest.fixture
def office(store: dict[str, str]) -> Cast:
    """The cast on each database that is supported."""
    return db.write(make_cast)
