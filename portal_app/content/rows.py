"""What is shown of content."""

from dataclasses import dataclass
from datetime import datetime

# Topics of articles in the order of the specification: key, words.
TOPICS = {
    "getting-started": "Getting started",
    "my-account": "My account",
    "solutions": "Solutions",
    "user-guides": "User guides",
    "videos": "Videos",
    "legal": "Legal",
}
# Help of the console's pages: for operators only.
FOR_OPERATORS = "operators"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of content; `body` is Markdown.

    A lesson's slug is `<course>--<lesson>`, its section the course. `published_at` is None for what always was there.
    """

    kind: str
    slug: str
    section: str
    title: str
    summary: str
    position: int
    body: str
    published_at: datetime | None
    changed_at: datetime
    from_folder: bool

    @property
    def order(self) -> tuple[int, str]:
        """Where it stands in its section."""
        return self.position, self.title.casefold()


@dataclass(frozen=True, slots=True)
class Hit:
    """What a search found; the snippet is plain text."""

    kind: str
    slug: str
    section: str
    title: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a page, and the id that the page's HTML gives it."""

    id: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a page: its name, its address, its bytes."""

    name: str
    href: str
    size_bytes: int
