"""What stands in the head of a page: a few labels with their values."""

from typing import TypedDict


class Fact(TypedDict):
    """A label, its value in words, and what the value is exactly; empty where the words say it."""

    label: str
    text: str
    exact: str
