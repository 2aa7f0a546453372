"""The cast of these tests, and a content folder of their own."""

from tests.cast import cast
from tests.content.conftest import root, write

__all__ = ["cast", "root", "write"]
