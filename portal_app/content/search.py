"""Full-text search over what is published: an index in memory, made again when the content has changed."""

import re
import sqlite3
import threading
from collections.abc import Collection

from sqlmodel import Session

from portal_app.content import library, markdown
from portal_app.content.library import Shelf
from portal_app.content.rows import Hit
from portal_app.text import searchable

LONGEST_QUESTION = 200
MOST_WORDS = 12
_WORD = re.compile(r"\w+")
_TABLE = """CREATE VIRTUAL TABLE page USING fts5(
  kind UNINDEXED, slug UNINDEXED, title, summary, body, tokenize = 'porter unicode61 remove_diacritics 2')"""
# A word of the title counts most, then one of the summary.
_FIND = """SELECT kind, slug, snippet(page, -1, '', '', ' … ', 24) FROM page
  WHERE page MATCH ? ORDER BY bm25(page, 0, 0, 10, 4, 1), slug"""

_lock = threading.Lock()
_index: dict[tuple, sqlite3.Connection] = {}


def find(session: Session, text: str, kinds: Collection[str], limit: int = 20) -> list[Hit]:
    """The published pages of these kinds that hold all the words, or else some; the best first.

    The last letters of a word may be missing.
    """
    words = _WORD.findall(searchable(text[:LONGEST_QUESTION]))[:MOST_WORDS]
    if not words or not kinds:
        return []
    shelf = library.shelf(session)
    wanted = [f'"{word}"*' for word in words]
    return _hits(shelf, " ".join(wanted), kinds, limit) or _hits(shelf, " OR ".join(wanted), kinds, limit)


def _hits(shelf: Shelf, match: str, kinds: Collection[str], limit: int) -> list[Hit]:
    hits: list[Hit] = []
    with _lock:
        for kind, slug, snippet in _index_of(shelf).execute(_FIND, (match,)):
            page = shelf.pages[kind, slug]
            if kind in kinds:
                hits.append(Hit(kind, slug, page.section, page.title, snippet))
            if len(hits) == limit:
                break
    return hits


def _index_of(shelf: Shelf) -> sqlite3.Connection:
    key = (*shelf.stamp, shelf.until)
    if key not in _index:
        for old in _index.values():
            old.close()
        _index.clear()
        _index[key] = _made(shelf)
    return _index[key]


def _made(shelf: Shelf) -> sqlite3.Connection:
    index = sqlite3.connect(":memory:", check_same_thread=False)
    index.execute(_TABLE)
    rows = [(p.kind, p.slug, p.title, p.summary, markdown.words(p.body)) for p in shelf.pages.values()]
    index.executemany("INSERT INTO page VALUES (?, ?, ?, ?, ?)", rows)
    return index
