"""What Support shows."""

from dataclasses import dataclass

from portal_app.content.rows import Page


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and its articles, in their order."""

    key: str
    title: str
    articles: tuple[Page, ...]
