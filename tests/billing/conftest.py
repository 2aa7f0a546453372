"""The cast, and both databases."""

from tests.cast import cast

__all__ = ["cast"]
