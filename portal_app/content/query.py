"""What the operators' list of content is asked for. It is also the page's address."""

from dataclasses import dataclass
from typing import Any, ClassVar

from portal_app.models import ContentKind
from portal_app.paging import ListQuery

PATH = "/operator/content"
KINDS = {
    ContentKind.ARTICLE: "Article",
    ContentKind.NEWS: "News",
    ContentKind.SALES: "Partner Zone",
    ContentKind.COURSE: "Course",
    ContentKind.LESSON: "Lesson",
}
# How a page stands, in words and colour.
STANDINGS = {
    "delivered": ("Delivered", "grey"),
    "draft": ("Draft", "orange"),
    "scheduled": ("Scheduled", "orange"),
    "published": ("Published", "green"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentQuery(ListQuery):
    """A question for content."""

    SORTS = ("title", "kind", "section", "standing", "changed")
    ORDER = "-changed"
    FILTERS: ClassVar = {"kind": list(ContentKind), "standing": list(STANDINGS)}

    kind: str = ""
    standing: str = ""
    sort: str = "changed"
    descending: bool = True

    def address(self, **changes: Any) -> str:
        return self.at(PATH, **changes)
