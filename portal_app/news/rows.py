"""What News shows."""

from dataclasses import dataclass

from portal_app.content.rows import Page


@dataclass(frozen=True, slots=True)
class Post:
    """A post, and whether the person has read it."""

    page: Page
    unread: bool
