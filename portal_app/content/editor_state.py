"""The editor of a page of content. What is typed stays in the browser's own fields."""

from typing import Any, TypedDict

import reflex as rx

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.content import markdown, service
from portal_app.content.forms import LONGEST_BODY, Wanted
from portal_app.content.query import KINDS, PATH
from portal_app.errors import Conflict, PortalError
from portal_app.models import ContentKind
from portal_app.models import ContentState as Standing
from portal_app.shell.state import NoticeState, enter, tell_on_next_page
from portal_app.sizes import size_text

FIELDS = ("kind", "slug", "section", "title", "summary", "position", "body", "state", "publish_on")


class FileLine(TypedDict):
    """A file of the page."""

    name: str
    href: str
    size: str


class ContentEditorState(rx.State):
    """A new page, or one that is there."""

    phase: str = "loading"
    page_id: int = 0
    # It takes a delivered one's place; its kind and name are fixed then, too.
    over: bool = False
    saved: dict[str, str] = {}
    kind: str = ""
    errors: dict[str, str] = {}
    error: str = ""
    stale: bool = False
    busy: bool = False
    preview: str = ""
    files: list[FileLine] = []
    asking: bool = False

    _version: int = 0
    _slug: str = ""
    _body: str = ""

    @rx.event
    @guard.operators()
    async def load(self):
        """The form of a new page, of a delivered one to write over, or of the one in the address."""
        actor = await enter(self)
        self.reset()
        # The form is made anew: its fields take what they begin with only then.
        yield
        try:
            await self._begin(actor)
        except Conflict as refusal:
            yield NoticeState.tell("orange", refusal.sentence)
            yield rx.redirect(PATH)
            return
        except PortalError:
            self.phase = "missing"
            return
        self.phase = "ready"

    async def _begin(self, actor: Actor) -> None:
        wanted = self.router.url.path.rstrip("/").rpartition("/")[2]
        asked = self.router.url.query_parameters
        if wanted != "new":
            number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 12 else 0
            self._fill(await db.look(service.editing, actor, number))
            await self._show_files(actor)
        elif asked.get("name"):
            self._fill(await db.look(service.over, actor, asked.get("kind", ""), asked["name"]))
        else:
            self.kind = asked.get("kind", "") if asked.get("kind") in list(KINDS) else ContentKind.ARTICLE
            self.saved = dict.fromkeys(FIELDS, "") | {"state": Standing.DRAFT, "kind": self.kind}

    def _fill(self, found: service.Editing) -> None:
        page = found.page
        self.page_id, self._version, self.over, self.kind = found.page_id, found.version, found.over, page.kind
        self._slug, self._body = page.slug, page.body
        self.saved = {
            "kind": page.kind,
            "slug": page.slug,
            "section": page.section,
            "title": page.title,
            "summary": page.summary,
            "position": str(page.position),
            "body": page.body,
            "state": found.state,
            "publish_on": f"{page.published_at:%Y-%m-%dT%H:%M}" if page.published_at else "",
        }

    async def _show_files(self, actor: Actor) -> None:
        given = await db.look(service.files, actor, self.page_id)
        base = f"/content/{self.kind}/{self._slug}"
        self.files = [FileLine(name=f.name, href=f"{base}/{f.name}", size=size_text(f.size_bytes)) for f in given]

    @rx.event
    @guard.operators()
    async def choose_kind(self, value: str):
        """What a new page is."""
        if value in list(KINDS) and not self.page_id and not self.over:
            self.kind = value

    @rx.event
    @guard.operators()
    async def note_body(self, body: str):
        """What is typed, when the field is left: for the preview."""
        self._body = body[:LONGEST_BODY]

    @rx.event
    @guard.operators()
    async def show_preview(self):
        """Show the Markdown as readers will see it."""
        self.preview = markdown.html(self._body or "*Nothing yet.*", self.kind or "article", self._slug or "new")

    @rx.event
    @guard.operators()
    async def close_preview(self):
        """Go on writing."""
        self.preview = ""

    @rx.event
    @guard.operators()
    async def save(self, form: dict):
        """Check and save; faults stand by their fields, and what was typed stays."""
        if self.busy or self.phase != "ready":
            return
        self.busy, self.errors, self.error, self.stale = True, {}, "", False
        yield
        try:
            page_id = await self._save(guard.actor(), self._filled(form))
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            self.stale = isinstance(refusal, Conflict) and bool(self.page_id)
            return
        finally:
            self.busy = False
        if self.page_id:
            self._version += 1
            yield NoticeState.tell("green", "The page was saved.")
        else:
            await tell_on_next_page(self, "The page was saved. Files can be added now.")
            yield rx.redirect(f"{PATH}/{page_id}", replace=True)

    async def _save(self, actor: Actor, wanted: Wanted) -> int:
        if not self.page_id:
            return await db.work(service.add, actor, wanted)
        await db.work(service.change, actor, self.page_id, self._version, wanted)
        return self.page_id

    def _filled(self, form: dict[str, Any]) -> Wanted:
        typed = {name: value for name in FIELDS if isinstance(value := form.get(name), str)}
        if self.page_id or self.over:
            slug = self._slug.rpartition("--")[2] if self.kind == ContentKind.LESSON else self._slug
            typed |= {"kind": self.kind, "slug": slug}
            if self.kind == ContentKind.LESSON:
                typed["section"] = self._slug.partition("--")[0]
        return Wanted(**typed | {"slug": typed.get("slug", "").strip(), "section": typed.get("section", "").strip()})

    @rx.event
    @guard.operators()
    async def uploaded(self):
        """After an upload: show the files."""
        if self.page_id:
            await self._show_files(guard.actor())

    @rx.event
    @guard.operators()
    async def remove_file(self, name: str):
        """Delete a file of the page."""
        await db.work(service.remove_file, guard.actor(), self.page_id, name)
        await self._show_files(guard.actor())

    @rx.event
    @guard.operators()
    async def ask(self):
        """Ask whether the page is to be deleted."""
        self.asking = bool(self.page_id)

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave it as it is."""
        self.asking = False

    @rx.event
    @guard.operators()
    async def remove(self):
        """Delete it, or go back to the delivered one."""
        if not self.asking:
            return None
        self.asking = False
        try:
            title = await db.work(service.remove, guard.actor(), self.page_id, self._version)
        except Conflict as refusal:
            self.error, self.stale = refusal.sentence, True
            return None
        done = f"{title}: the delivered page shows again." if self.over else f"{title} was deleted."
        await tell_on_next_page(self, done)
        return rx.redirect(PATH)
