"""Full-text search: what is found, in which order, and what the words may be."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from portal_app import clock, db
from portal_app.content import library, search
from portal_app.models import ContentPage, ContentState
from tests import factories
from tests.content.conftest import Write, page

pytestmark = pytest.mark.usefixtures("database")


def _found(text: str, *kinds: str, limit: int = 20) -> list[str]:
    return [hit.slug for hit in db.read(search.find, text, kinds or ("article",), limit)]


@pytest.fixture(autouse=True)
def _articles(write: Write) -> None:
    write("articles/solutions/card.md", page("A card was refused", "The bank refused it. Call your bank."))
    write("articles/solutions/backup.md", page("A backup failed", "## Card\n\nNothing about money. Zürich."))
    write("news/card.md", page("Cards", "News about a card."))


def test_a_word_of_the_title_counts_most() -> None:
    assert _found("card") == ["card", "backup"]
    assert _found("Card", "article", "news") == ["card", "card", "backup"]


def test_words_are_found_by_their_beginning_their_stem_and_without_accents() -> None:
    assert _found("refus") == ["card"]
    assert _found("backups failing") == ["backup"]
    assert _found("zurich") == ["backup"]


def test_all_words_or_else_some() -> None:
    assert _found("card bank") == ["card"]
    assert sorted(_found("bank zurich")) == ["backup", "card"]


@pytest.mark.parametrize("text", ["", "  ", '"', "*", "()", "'; --", "\x00", "-", "NEAR("])
def test_what_holds_no_word_finds_nothing_or_is_a_word(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize("text", ['card" OR "x', "card*", "title:card", "card NOT refused", "^card", "card " * 500])
def test_signs_of_the_query_language_are_none(text: str) -> None:
    assert "card" in _found(text)


def test_a_snippet_shows_where() -> None:
    (hit,) = db.read(search.find, "bank", ["article"])
    assert hit.snippet == "The bank refused it. Call your bank."
    assert (hit.title, hit.section) == ("A card was refused", "solutions")


def test_no_more_than_asked_for() -> None:
    assert _found("card", limit=1) == ["card"]


def test_what_changes_is_found_anew(write: Write) -> None:
    assert _found("gold") == []
    write("articles/solutions/gold.md", page("Gold"))
    assert _found("gold") == ["gold"]
    db.write(_write_over, slug="gold", title="Silver")
    assert _found("gold") == []
    assert _found("silver") == ["gold"]


def test_drafts_and_what_comes_later_are_not_found() -> None:
    db.write(_write_over, slug="draft", title="Gold", state=ContentState.DRAFT)
    db.write(_write_over, slug="later", title="Gold", published_at=clock.now() + timedelta(days=1))
    assert _found("gold") == []
    assert "draft" not in {slug for _, slug in db.read(library.shelf).pages}


def _write_over(session: Session, **given: object) -> ContentPage:
    now = clock.now()
    values = {"kind": "article", "section": "solutions", "state": ContentState.PUBLISHED}
    return factories.save(session, ContentPage(**values | {"created_at": now, "changed_at": now} | given))
