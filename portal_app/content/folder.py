"""The content folder: read once, and again when a file in it has changed. What is broken in it is told, never raised.

`articles/<topic>/<slug>.md`, `help/<slug>.md`, `news/<slug>.md`, `sales/<slug>/index.md`, `courses/<course>/course.md`
and `courses/<course>/<nn-lesson>.md`, each with its pictures and files beside it. PORTAL_CONTENT_DIR is laid over it.
"""

import logging
import math
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as day_time
from pathlib import Path
from typing import Any

import yaml

from portal_app.content.rows import FOR_OPERATORS, TOPICS, Page
from portal_app.models import ContentKind
from portal_app.settings import settings

log = logging.getLogger("portal.content")
ROOT = Path(__file__).resolve().parent.parent.parent / "content"
# A page that is longer is a mistake; in bytes.
LONGEST = 1_000_000
# The files' times and sizes are asked for at most so often, in seconds.
REST = 2.0
# Of the front matter: everything else in it is a typing error.
FIELDS = frozenset({"title", "summary", "section", "position", "published"})
HELP = "user-guides"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FRONT = re.compile(r"\A---\n(?P<front>.*?)^---\n", re.DOTALL | re.MULTILINE)
_NUMBER = re.compile(r"(?P<number>\d+)-(?P<rest>.+)")


class Broken(ValueError):
    """A file of the folder that can't be shown; the text says what is wrong with it."""


@dataclass(frozen=True)
class Found:
    """All that is in the folder. `files`: what may be fetched of each page, by its name."""

    number: int
    pages: Mapping[tuple[str, str], Page]
    files: Mapping[tuple[str, str], Mapping[str, Path]]
    faults: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Where a file of Markdown belongs."""

    kind: str
    slug: str
    section: str = ""
    position: int = 0


@dataclass
class _Kept:
    found: Found = field(default_factory=lambda: Found(0, {}, {}, ()))
    stamp: tuple[Any, ...] | None = None
    looked: float = -math.inf


_lock = threading.Lock()
_kept = _Kept()


def found() -> Found:
    """What the folder holds now."""
    with _lock:
        if time.monotonic() - _kept.looked >= REST:
            listed = _listed()
            stamp = tuple((name, path, *_times(path)) for name, path in listed.items())
            if stamp != _kept.stamp:
                _kept.found, _kept.stamp = _read(_kept.found.number + 1, listed), stamp
                for fault in _kept.found.faults:
                    log.error("content: %s", fault)
            _kept.looked = time.monotonic()
        return _kept.found


def look_again() -> None:
    """Have the next question look at the folder, however lately that was done."""
    with _lock:
        _kept.looked = -math.inf


def roots() -> tuple[Path, ...]:
    """The folders: the later's files replace the earlier's."""
    own = settings().content_dir
    return (ROOT, own) if own else (ROOT,)


def _listed() -> dict[str, Path]:
    """Every file by its path within the folder. A link that leads out of the folder is left out."""
    listed: dict[str, Path] = {}
    for root in roots():
        home = root.resolve()
        for folder, folders, names in os.walk(root, followlinks=True):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            here = Path(folder)
            if not here.resolve().is_relative_to(home) or len(here.relative_to(root).parts) > 3:
                folders.clear()
                continue
            for name in sorted(names):
                path = here / name
                if not name.startswith(".") and path.resolve().is_relative_to(home):
                    listed[path.relative_to(root).as_posix()] = path
    return listed


def _times(path: Path) -> tuple[int, int]:
    try:
        known = path.stat()
    except OSError:
        return 0, 0
    return known.st_mtime_ns, known.st_size


def _read(number: int, listed: Mapping[str, Path]) -> Found:
    pages: dict[tuple[str, str], Page] = {}
    homes: dict[tuple[str, str], str] = {}
    faults: list[str] = []
    for name, path in listed.items():
        try:
            place = _place_of(name)
            if place is None:
                continue
            key = (place.kind, place.slug)
            if key in pages:
                raise Broken("another page has this name already")
            pages[key], homes[key] = _page(place, path), name.rpartition("/")[0]
        except Broken as fault:
            faults.append(f"{name}: {fault}")
    return Found(number, pages, _files(homes, listed), tuple(faults))


def _place_of(name: str) -> _Place | None:
    """Which page a file is; None for what is none."""
    if not name.endswith(".md") or "/" not in name:
        return None
    place = _by_path(*name.removesuffix(".md").split("/"))
    if not all(SLUG.fullmatch(part) for part in place.slug.split("--")) or len(place.slug) > 80:
        raise Broken("a name has small letters, digits and single hyphens, 80 at most")
    return place


def _by_path(*path: str) -> _Place:
    match path:
        case ["articles", topic, slug] if topic in TOPICS:
            return _Place(ContentKind.ARTICLE, slug, topic)
        case ["help", slug]:
            return _Place(ContentKind.ARTICLE, slug, HELP, 100)
        case ["news", slug]:
            return _Place(ContentKind.NEWS, slug)
        case ["sales", slug, "index"]:
            return _Place(ContentKind.SALES, slug)
        case ["courses", slug, "course"]:
            return _Place(ContentKind.COURSE, slug)
        case ["courses", course, lesson]:
            return _lesson(course, lesson)
    raise Broken(f"no page can lie there; the topics of articles are {', '.join(TOPICS)}")


def _lesson(course: str, lesson: str) -> _Place:
    numbered = _NUMBER.fullmatch(lesson)
    if numbered is None:
        raise Broken("the name of a lesson begins with its number, such as 01-first-steps.md")
    return _Place(ContentKind.LESSON, f"{course}--{numbered['rest']}", course, int(numbered["number"]))


def _page(place: _Place, path: Path) -> Page:
    front, body = parts_of(_text(path))
    if unknown := front.keys() - FIELDS:
        raise Broken(f"the front matter has no {', '.join(sorted(map(str, unknown)))}")
    section = _line(front, "section", 80)
    if place.kind == ContentKind.ARTICLE and section not in {"", *TOPICS, FOR_OPERATORS}:
        raise Broken(f"there is no topic {section}")
    return Page(
        kind=place.kind,
        slug=place.slug,
        section=section or place.section,
        title=_line(front, "title", 160) or place.slug.rpartition("--")[2].replace("-", " ").capitalize(),
        summary=_line(front, "summary", 400),
        position=_whole(front.get("position", place.position)),
        body=body,
        published_at=_instant(front.get("published")),
        changed_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        from_folder=True,
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LONGEST:
            raise Broken(f"it is longer than {LONGEST:,} bytes")
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Broken("it is not UTF-8") from None
    except OSError as fault:
        raise Broken(f"it can't be read ({fault.strerror})") from None


def parts_of(text: str) -> tuple[dict[str, Any], str]:
    """The front matter and the Markdown of a file. Raises Broken."""
    if not text.startswith("---\n"):
        return {}, text
    matched = _FRONT.match(text)
    if matched is None:
        raise Broken("its front matter does not end: a line of --- is missing")
    try:
        front = yaml.safe_load(matched["front"]) or {}
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Broken("its front matter is no YAML: each line is a name, a colon and a value") from None
    if not isinstance(front, dict):
        raise Broken("its front matter has no names with values")
    return front, text[matched.end() :].lstrip("\n")


def _line(front: Mapping[str, Any], name: str, longest: int) -> str:
    value = front.get(name)
    text = "" if value is None else " ".join(str(value).split())
    if isinstance(value, dict | list) or len(text) > longest:
        raise Broken(f"its {name} is not one line of at most {longest} characters")
    return text


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10_000:
        raise Broken("its position is not a whole number up to 10000")
    return value


def _instant(value: Any) -> datetime | None:
    """A date's midnight in UTC; an instant without a zone is of UTC."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, day_time(), UTC)
    raise Broken("its published is no date such as 2026-11-26")


def _files(
    homes: Mapping[tuple[str, str], str], listed: Mapping[str, Path]
) -> dict[tuple[str, str], Mapping[str, Path]]:
    """What lies in the folder of each page and is no page itself."""
    beside: dict[str, dict[str, Path]] = {}
    for name, path in listed.items():
        folder, _, own = name.rpartition("/")
        if not own.endswith(".md"):
            beside.setdefault(folder, {})[own] = path
    return {key: beside.get(folder, {}) for key, folder in homes.items()}
