"""The cast: Dave is the user of Alpha Ash; Bob sees that account only."""

from tests.cast import cast
from tests.users.conftest import office

__all__ = ["cast", "office"]
