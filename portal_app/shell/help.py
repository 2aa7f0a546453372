"""The help of each page: Markdown from content/help, compiled into the page it belongs to."""

import reflex as rx

from portal_app.content import folder, markdown


def help_text(topic: str) -> rx.Component:
    """The topic as HTML. The build takes our own folder's: what lies over it shows in the article."""
    _front, body = folder.parts_of((folder.ROOT / "help" / f"{topic}.md").read_text(encoding="utf-8"))
    return rx.html(markdown.html(body, "article", topic), class_name="prose")
