"""The help of each page: Markdown from content/help, compiled into the page it belongs to."""

from pathlib import Path

import reflex as rx
from markdown_it import MarkdownIt

FOLDER = Path(__file__).resolve().parent.parent.parent / "content" / "help"


def help_text(topic: str) -> rx.Component:
    """The topic as HTML. The files are ours: nothing a user wrote goes this way."""
    source = (FOLDER / f"{topic}.md").read_text(encoding="utf-8")
    return rx.html(MarkdownIt("commonmark", {"html": False}).render(source), class_name="prose")
