"""Articles for who may read them: the console's help is for operators only."""

from sqlmodel import Session

from portal_app.auth.actor import Actor, ActorKind
from portal_app.content import library, search
from portal_app.content.rows import FOR_OPERATORS, TOPICS, Hit, Page
from portal_app.errors import NotFound
from portal_app.models import ContentKind
from portal_app.support.rows import Topic

ARTICLES = "/support/articles"


def topics_of(actor: Actor) -> dict[str, str]:
    """The topics that the actor may read, and their words."""
    actor.require_reader()
    return TOPICS | ({FOR_OPERATORS: "Operator console"} if actor.kind == ActorKind.OPERATOR else {})


def topics(session: Session, actor: Actor) -> list[Topic]:
    """All topics that have articles."""
    found = (topic(session, actor, key) for key in topics_of(actor))
    return [one for one in found if one.articles]


def topic(session: Session, actor: Actor, key: str) -> Topic:
    """One topic. Raises NotFound."""
    words = topics_of(actor).get(key)
    if words is None:
        raise NotFound(library.NOT_FOUND)
    return Topic(key, words, tuple(library.pages(session, ContentKind.ARTICLE, key)))


def find(session: Session, actor: Actor, text: str) -> list[Hit]:
    """The articles that hold the words, the best first."""
    known = topics_of(actor)
    return [hit for hit in search.find(session, text, [ContentKind.ARTICLE], limit=50) if hit.section in known]


def article(session: Session, actor: Actor, slug: str) -> tuple[Page, Topic]:
    """The article, and the topic that it belongs to. Raises NotFound."""
    known = topics_of(actor)
    page = library.page(session, ContentKind.ARTICLE, slug)
    if page.section not in known:
        raise NotFound(library.NOT_FOUND)
    return page, topic(session, actor, page.section)
