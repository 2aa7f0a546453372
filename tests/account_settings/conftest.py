"""The cast, and the databases."""

from tests.cast import cast
from tests.jobs.conftest import postgres_store, store
from tests.users.conftest import office

__all__ = ["cast", "office", "postgres_store", "store"]
