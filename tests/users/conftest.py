"""The cast, and the databases."""

import pytest

from portal_app import db
from tests.cast import Cast, cast, make_cast
from tests.jobs.conftest import postgres_store, store

__all__ = ["cast", "office", "postgres_store", "store"]


@pytest.fixture
def office(store: dict[str, str]) -> Cast:
    """The cast on each database that is supported."""
    return db.write(make_cast)
