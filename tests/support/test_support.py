"""Articles: for whom, by topic, by search, and that those we ship are whole."""

import re

import pytest

from portal_app import db
from portal_app.auth.actor import NOBODY
from portal_app.content import folder, library, markdown
from portal_app.content.rows import TOPICS
from portal_app.errors import Denied, NotFound
from portal_app.shell.navigation import links_for
from portal_app.support import service
from tests.cast import Cast, cookie_of
from tests.content.conftest import Write, page
from tests.security.pipeline import Pipeline, name_of, play


@pytest.fixture
def articles(write: Write) -> None:
    write("articles/legal/privacy.md", page("Privacy"))
    write("articles/solutions/card.md", page("A card was refused", "## One\n\n## Two\n\n## Three\n\nThe bank."))
    write("help/users.md", page("User Management"))
    write("help/prices.md", "---\ntitle: Price books\nsection: operators\n---\nThe bank's prices.")


@pytest.mark.parametrize("who", ["dave", "nobody"])
def test_customers_and_strangers_read_nothing(cast: Cast, articles: None, who: str) -> None:
    actor = NOBODY if who == "nobody" else cast.actor(who)
    for ask in (service.topics, lambda s, a: service.find(s, a, "bank"), lambda s, a: service.article(s, a, "card")):
        with pytest.raises(Denied):
            db.read(ask, actor)


@pytest.mark.parametrize(
    ("who", "ran"), [("alice", True), ("nina", True), ("olga", True), ("dave", False), ("sam", False)]
)
def test_who_may_open_the_pages(cast: Cast, who: str, ran: bool) -> None:
    async def scene(made: Pipeline) -> None:
        for ending in (
            "support_state.load",
            "article_state.load",
            "news_state.load",
            "news_state.read_all",
            "post_state.load",
            "partner_zone_state.load",
            "piece_state.load",
        ):
            answer = await made.tab(cookie_of(cast.people[who])).send(name_of(ending))
            assert answer.ran is ran, ending

    play(scene)


def test_the_navigation_leads_there_in_its_order(cast: Cast) -> None:
    def labels(who: str) -> list[str]:
        return [entry["label"] for entry in links_for(cast.actor(who))]

    shown = ["Dashboard", "Billing", "News", "Security Audit", "Settings", "Learning Hub", "Partner Zone", "Support"]
    assert labels("alice") == [one for one in shown if one in labels("alice")]
    for who in ("alice", "nina", "olga"):
        assert {"News", "Partner Zone", "Support"} <= set(labels(who))
    assert not {"News", "Partner Zone", "Support"} & set(labels("dave"))


def test_topics_in_their_order_and_the_consoles_for_operators_only(cast: Cast, articles: None) -> None:
    assert [one.title for one in db.read(service.topics, cast.actor("alice"))] == ["Solutions", "User guides", "Legal"]
    assert [one.title for one in db.read(service.topics, cast.actor("olga"))][-1] == "Operator console"
    for ask in (lambda s, a: service.article(s, a, "prices"), lambda s, a: service.topic(s, a, "operators")):
        with pytest.raises(NotFound):
            db.read(ask, cast.actor("alice"))


def test_a_search_finds_what_one_may_read(cast: Cast, articles: None) -> None:
    assert [hit.slug for hit in db.read(service.find, cast.actor("alice"), "bank")] == ["card"]
    assert {hit.slug for hit in db.read(service.find, cast.actor("olga"), "bank")} == {"card", "prices"}


def test_the_page_shows_what_the_address_asks_for(cast: Cast, articles: None) -> None:
    async def scene(made: Pipeline) -> None:
        cookie, load = cookie_of(cast.alice), name_of("support_state.load")
        answer = await made.tab(cookie, "/support").send(load)
        assert [card["title"] for card in answer.var("cards")] == ["Solutions", "User guides", "Legal"]
        answer = await made.tab(cookie, "/support?q=refus").send(load)
        assert [line["href"] for line in answer.var("lines")] == ["/support/articles/card"]
        assert answer.var("heading") == "1 article"
        answer = await made.tab(cookie, "/support?topic=legal").send(load)
        assert (answer.var("heading"), len(answer.var("lines"))) == ("Legal", 1)
        for odd in ("?topic=operators", "?topic=none", "?q=%20"):
            assert (await made.tab(cookie, f"/support{odd}").send(load)).var("cards")
        answer = await made.tab(cookie, "/support?q=nothing").send(load)
        assert (answer.var("heading"), answer.var("lines")) == ("0 articles", [])

    play(scene)


def test_an_article_has_its_table_of_contents_and_a_missing_one_says_so(cast: Cast, articles: None) -> None:
    async def scene(made: Pipeline) -> None:
        tab, load = made.tab(cookie_of(cast.alice), "/support/articles/card"), name_of("article_state.load")
        answer = await tab.send(load)
        assert [part["href"] for part in answer.var("parts")] == ["#s-one", "#s-two", "#s-three"]
        assert answer.var("topic")["href"] == "/support?topic=solutions"
        missing = await made.tab(cookie_of(cast.alice), "/support/articles/none").send(load)
        assert missing.var("phase") == "missing"

    play(scene)


@pytest.mark.usefixtures("database")
def test_what_we_ship_is_whole() -> None:
    """No broken file; each topic of the specification has articles; each link within leads somewhere."""
    folder.look_again()
    found = folder.found()
    assert found.faults == ()
    assert {p.section for p in found.pages.values() if p.kind == "article"} >= set(TOPICS)
    for one in found.pages.values():
        for target in re.findall(r'(?:href|src)="(/[^"#]*)', markdown.html(one.body, one.kind, one.slug)):
            if target.startswith("/support/articles/"):
                assert ("article", target.rpartition("/")[2]) in found.pages, (one.slug, target)
            if target.startswith("/content/"):
                *_, kind, slug, name = target.split("/")
                assert db.read(library.file, kind, slug, name), (one.slug, target)


def test_each_pages_help_is_an_article() -> None:
    topics = {path.stem for path in (folder.ROOT / "help").glob("*.md")}
    assert topics
    assert {("article", topic) for topic in topics} <= folder.found().pages.keys()
