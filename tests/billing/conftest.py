"""The cast, and both databases."""

from tests.cast import cast
from tests.jobs.conftest import postgres_store, store

__all__ = ["cast", "postgres_store", "store"]
