"""What a writer's Markdown becomes, and that nothing in it can act."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal_app.content import markdown


def _html(source: str) -> str:
    return markdown.html(source, "article", "one")


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "text <b onclick='x'>bold</b>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](//evil.example)",
        "[x](/\\evil.example)",
        "<javascript:alert(1)>",
        '![x](x.webm "\\" onplay=alert(1)")',
        '[x](x.pdf "\\" onclick=alert(1)")',
        '![" onerror=alert(1) "](x.png)',
        '## " onclick=alert(1)',
    ],
)
def test_nothing_acts(source: str) -> None:
    _assert_harmless(_html(source))


@given(st.text("<>[]()!\"'`#&;:/\\ \njavscriptdhtonex=-|*_0123456789.%", max_size=120))
@example("[a](<javascript:x>)")
def test_whatever_is_written_nothing_acts(source: str) -> None:
    _assert_harmless(_html(source))


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


KNOWN = {
    "a", "blockquote", "br", "code", "div", "em", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre",
    "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul", "video",
}  # fmt: skip
ATTRIBUTES = {
    "alt", "aria-label", "class", "controls", "href", "id", "loading", "playsinline", "preload", "rel", "role", "src",
    "start", "style", "tabindex", "title",
}  # fmt: skip


def _assert_harmless(html: str) -> None:
    seen = _Seen()
    seen.feed(html)
    for tag, attributes in seen.tags:
        assert tag in KNOWN, html
        assert attributes.keys() <= ATTRIBUTES, html
        assert attributes.get("style", "") in {"", "text-align:left", "text-align:right", "text-align:center"}, html
        assert attributes.get("id", "s-").startswith("s-"), html
        for name in ("href", "src"):
            if name in attributes:
                assert markdown.is_safe(attributes[name] or ""), html


def test_files_of_the_page_are_its_own() -> None:
    html = _html("![A list](list.png) ![How](how.webm)\n\n[Sheet](sheet.pdf) [Bill](/billing/status) [Part](#s-part)")
    assert '<img src="/content/article/one/list.png" alt="A list" loading="lazy">' in html
    assert '<video src="/content/article/one/how.webm" controls' in html
    assert 'aria-label="How"' in html
    assert '<a href="/content/article/one/sheet.pdf">Sheet</a>' in html
    assert '<a href="/billing/status">Bill</a>' in html
    assert '<a href="#s-part">Part</a>' in html


def test_links_elsewhere_tell_nobody_where_the_reader_came_from() -> None:
    assert '<a href="https://example.com/a" rel="noopener noreferrer">x</a>' in _html("[x](https://example.com/a)")
    assert '<a href="mailto:a@b.example">x</a>' in _html("[x](mailto:a@b.example)")


def test_pictures_of_other_hosts_are_links() -> None:
    html = _html("![Ours](https://example.com/a.png)")
    assert "<img" not in html
    assert '<a href="https://example.com/a.png" rel="noopener noreferrer">Ours</a>' in html


def test_headings_have_ids_and_the_page_only_one_h1() -> None:
    source = "# Big\n\n## What `next`\n\n### Below\n\n## What next\n\n## ???\n"
    assert [(one.id, one.text, one.level) for one in markdown.headings(source)] == [
        ("s-big", "Big", 2),
        ("s-what-next", "What next", 2),
        ("s-below", "Below", 3),
        ("s-what-next-2", "What next", 2),
        ("s-part", "???", 2),
    ]
    html = _html(source)
    assert "<h1" not in html
    assert all(f'id="{one.id}"' in html for one in markdown.headings(source))


def test_words_are_without_marks() -> None:
    assert markdown.words("## A *b*\n\n- [c](https://d.example)\n\n`e`\n\n![f](g.png)") == "A b c e f"


def test_tables_may_be_scrolled_by_keyboard() -> None:
    assert '<div class="prose-table" tabindex="0"' in _html("| a | b |\n|---|---|\n| 1 | 2 |\n")
