"""The cast, and the databases."""

from tests.cast import cast
from tests.users.conftest import office

__all__ = ["cast", "office"]
