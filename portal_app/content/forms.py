"""What an operator types for a page, and what can't be taken of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from portal_app import text
from portal_app.content.folder import SLUG
from portal_app.content.rows import FOR_OPERATORS, TOPICS
from portal_app.errors import Invalid
from portal_app.models import ContentKind, ContentState

# In characters; with it the form stays below what a socket takes.
LONGEST_BODY = 60_000
_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page as typed. `slug` and `kind` count for a new one only; `publish_on` is a time in UTC, or empty."""

    kind: str = ""
    slug: str = ""
    section: str = ""
    title: str = ""
    summary: str = ""
    position: str = ""
    body: str = ""
    state: str = ContentState.DRAFT
    publish_on: str = ""

    @property
    def full_slug(self) -> str:
        """A lesson's has its course before it."""
        return f"{self.section}--{self.slug}" if self.kind == ContentKind.LESSON else self.slug


@dataclass(frozen=True, slots=True)
class Checked:
    """The same, fit to be saved."""

    section: str
    title: str
    summary: str
    position: int
    body: str
    state: str
    published_at: datetime | None


def check(wanted: Wanted) -> Checked:
    """Raises Invalid with a sentence by each field."""
    faults = {
        "title": text.name_fault(text.clean(wanted.title), "a title"),
        "section": _section_fault(wanted),
        "summary": _summary_fault(text.clean(wanted.summary)),
        "position": "" if _is_position(wanted.position) else "Enter a whole number up to 10000.",
        "body": _body_fault(wanted.body),
        "state": "" if wanted.state in list(ContentState) else "Choose Draft or Published.",
        "publish_on": "" if _is_time(wanted.publish_on) else "Enter a day and a time, or nothing.",
    }
    if found := {name: fault for name, fault in faults.items() if fault}:
        raise Invalid(**found)
    return Checked(
        section=text.clean(wanted.section),
        title=text.clean(wanted.title),
        summary=text.clean(wanted.summary),
        position=int(wanted.position.strip() or 0),
        body=wanted.body.replace("\r\n", "\n"),
        state=wanted.state,
        published_at=_time(wanted.publish_on),
    )


def check_name(wanted: Wanted) -> None:
    """Of a new page: its kind and its name in addresses. Raises Invalid."""
    faults = {}
    if wanted.kind not in list(ContentKind):
        faults["kind"] = "Choose what it is."
    if not SLUG.fullmatch(wanted.slug) or len(wanted.full_slug) > 80:
        faults["slug"] = "Use small letters, digits and single hyphens, such as a-card-was-refused."
    if faults:
        raise Invalid(**faults)


def _section_fault(wanted: Wanted) -> str:
    section = text.clean(wanted.section)
    if wanted.kind == ContentKind.ARTICLE and section not in {*TOPICS, FOR_OPERATORS}:
        return f"Enter a topic: {', '.join(TOPICS)}, or {FOR_OPERATORS}."
    if wanted.kind == ContentKind.LESSON and not SLUG.fullmatch(section):
        return "Enter the course: its name in addresses."
    if len(section) > 80 or text.has_control(section):
        return "Use at most 80 characters."
    return ""


def _summary_fault(summary: str) -> str:
    return "Use one line of at most 400 characters." if len(summary) > 400 or text.has_control(summary) else ""


def _body_fault(body: str) -> str:
    if len(body) > LONGEST_BODY:
        return f"Use at most {LONGEST_BODY:,} characters; this has {len(body):,}."
    lines = body.replace("\r\n", "\n").replace("\n", " ").replace("\t", " ")
    return "Remove the invisible control characters." if text.has_control(lines) else ""


def _is_position(given: str) -> bool:
    given = given.strip()
    return not given or (given.isascii() and given.isdecimal() and len(given) <= 5 and int(given) <= 10_000)


def _is_time(given: str) -> bool:
    return not given.strip() or _time(given) is not None


def _time(given: str) -> datetime | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(given.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
