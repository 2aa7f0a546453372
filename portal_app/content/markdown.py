"""Markdown as HTML that can do no harm: no HTML of the writer's, links only where a reader may be sent."""

import re
from collections.abc import Iterator, MutableMapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from portal_app.content.rows import Heading

VIDEOS = (".webm", ".mp4")
_SCHEMES = frozenset({"", "http", "https", "mailto"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()-]*")
_WORDS = re.compile(r"[^\w]+")


def is_safe(url: str) -> bool:
    """Whether a link may lead there: http, https, mailto, within the portal, or to a file of the page's own."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    # Browsers read a backslash as a slash, and drop control characters.
    odd = "\\" in url or any(ord(char) < 33 for char in url.strip())
    return not odd and parts.scheme.lower() in _SCHEMES and not (not parts.scheme and parts.netloc)


class _Reader(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        return is_safe(url)


class _Writer(RendererHTML):
    """Writes ids of headings, addresses of the page's own files, and videos."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        token = tokens[idx]
        address, alt = str(token.attrGet("src") or ""), self.renderInlineAsText(token.children, options, env)
        if "//" in address or address.startswith("mailto:"):
            # No page loads pictures of other hosts.
            return f'<a href="{_escaped(address)}" rel="noopener noreferrer">{_escaped(alt or address)}</a>'
        where, label = _escaped(_own(address, env)), _escaped(alt)
        if address.lower().endswith(VIDEOS):
            return f'<video src="{where}" controls playsinline preload="metadata" aria-label="{label}"></video>'
        return f'<img src="{where}" alt="{label}" loading="lazy">'

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        token = tokens[idx]
        address = str(token.attrGet("href") or "")
        token.attrSet("href", _own(address, env))
        if address.startswith(("http:", "https:")):
            token.attrSet("rel", "noopener noreferrer")
        return self.renderToken(tokens, idx, options, env)

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return f'<{_tag(tokens[idx])} id="{next(env["ids"])}">'

    def heading_close(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"</{_tag(tokens[idx])}>\n"

    def table_open(self, *_: Any) -> str:
        return '<div class="prose-table" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"


_reader = _Reader("commonmark", {"html": False, "typographer": False}, renderer_cls=_Writer)
_reader.enable(["table", "strikethrough"])


@lru_cache(maxsize=256)
def html(source: str, kind: str, slug: str) -> str:
    """The page as HTML. Pictures, .webm videos and links without a path are files of the page `kind`/`slug`."""
    tokens = _reader.parse(source)
    env = {"home": f"/content/{kind}/{slug}/", "ids": iter([one.id for one in _headings(tokens)])}
    return _reader.renderer.render(tokens, _reader.options, env)


@lru_cache(maxsize=256)
def headings(source: str) -> tuple[Heading, ...]:
    """The headings of a page, with the ids that `html` gives them."""
    return tuple(_headings(_reader.parse(source)))


def words(source: str) -> str:
    """The page's text without any marks, for the search."""
    return " ".join(" ".join(_texts(_reader.parse(source))).split())


def _headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    used: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            text = " ".join(_texts(inline.children or ()))
            # A prefix: no writer's heading takes the id of a part of the page.
            base = "s-" + (_WORDS.sub("-", text.casefold()).strip("-")[:60] or "part")
            used[base] = used.get(base, 0) + 1
            yield Heading(base if used[base] == 1 else f"{base}-{used[base]}", text, int(_tag(token)[1]))


def _texts(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in {"text", "code_inline", "code_block", "fence"}:
            yield token.content.strip()
        yield from _texts(token.children or ())


def _tag(heading: Token) -> str:
    # The page's title is its h1.
    return f"h{max(2, int(heading.tag[1]))}"


def _own(address: str, env: MutableMapping[str, Any]) -> str:
    """The address of a file of the page's own; any other as it is."""
    path, mark, part = address.partition("#")
    if not path or not _NAME.fullmatch(path.replace("%20", " ")):
        return address
    return f"{env['home']}{quote(path.replace('%20', ' '))}{mark}{part}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
