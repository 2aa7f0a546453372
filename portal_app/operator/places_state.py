"""The states of the storage locations: the list, and one of them with its storage."""

from collections.abc import Callable
from typing import Any, TypedDict

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.accounts import storage_credentials
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.errors import PortalError
from portal_app.models import PlaceKind
from portal_app.operator import places
from portal_app.operator.place_rows import PlaceRow, PlaceUse, StorageForm
from portal_app.shell.state import NoticeState, enter, tell_on_next_page
from portal_app.sizes import size_text
from portal_app.times import Moment, moment

PATH = "/operator/storage"
KINDS = {
    PlaceKind.FOLDER: "Folder of this machine",
    PlaceKind.AWS_S3: "AWS S3",
    PlaceKind.S3_COMPATIBLE: "S3-compatible",
    PlaceKind.GOOGLE_CLOUD: "Google Cloud",
    PlaceKind.AZURE: "Azure",
}
_LONGEST = 20_000


class PlaceLine(TypedDict):
    """A location in words."""

    code: str
    name: str
    kind: str
    place: str
    accounts: str
    size: str
    open: bool
    checked: Moment


class PlacesState(rx.State):
    """The list of locations."""

    loading: bool = True
    lines: list[PlaceLine] = []

    @rx.event
    @guard.operators()
    async def load(self):
        """Show all locations."""
        actor = await enter(self)
        await self._show(actor)

    @rx.event
    @guard.operators()
    async def move(self, code: str, by: int):
        """Put a location one place up or down."""
        try:
            await db.work(places.move, guard.actor(), code, by)
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        await self._show(guard.actor())

    async def _show(self, actor: Actor) -> None:
        self.lines = [_line(row, actor.time_zone) for row in await db.look(places.listed, actor)]
        self.loading = False


class PlaceState(rx.State):
    """One location, or the form of a new one. Credentials pass through and are never kept."""

    ready: bool = False
    missing: bool = False
    line: PlaceLine = PlaceLine(
        code="", name="", kind="", place="", accounts="", size="", open=True, checked=Moment(text="", exact="")
    )
    chosen: str = "folder"
    folder: str = ""
    tasks: int = 0
    partners: int = 0
    errors: dict[str, str] = {}
    error: str = ""
    busy: str = ""
    asking: bool = False

    _mark: str = ""

    @rx.event
    @guard.operators()
    async def load(self):
        """Show the location of the address, or an empty form."""
        actor = await enter(self)
        self.reset()
        code = self.router.url.path.rstrip("/").rpartition("/")[2][:40]
        # The form is made anew: its fields take what they begin with only then.
        yield
        if self.router.url.path.rstrip("/") == f"{PATH}/new":
            self.ready = True
            return
        try:
            await self._show(actor, code)
        except PortalError:
            self.missing = True

    @rx.event
    @guard.operators()
    async def choose(self, kind: str):
        """Another kind of storage asks for other fields."""
        self.chosen, self.errors, self.error = kind if kind in list(PlaceKind) else "folder", {}, ""

    @rx.event
    @guard.operators()
    async def add(self, form: dict):
        """Try the storage and save the location; faults stand by their fields, and what was typed stays."""
        if self.busy or not self.ready or self.line["code"]:
            return
        self._begin("add")
        yield
        typed = _typed(form)
        given = (typed.get("code", ""), typed.get("name", ""), self._storage(typed))
        if await self._has_done(lambda: places.add(guard.actor(), *given)):
            await tell_on_next_page(self, f"{given[1].strip()} was added. New accounts can choose it.")
            yield rx.redirect(PATH)

    @rx.event
    @guard.operators()
    async def rename(self, form: dict):
        """Give the location another name."""
        if self.busy or not self.line["code"]:
            return
        self._begin("rename")
        yield
        given = (self.line["code"], self._mark, _typed(form).get("name", ""))
        if await self._has_done(lambda: db.write(places.rename, guard.actor(), *given)):
            await self._show(guard.actor(), self.line["code"])
            yield NoticeState.tell("green", f"The location is called {self.line['name']}.")

    @rx.event
    @guard.operators()
    async def give(self, form: dict):
        """Try another storage, or other keys, and keep the location's backups there."""
        if self.busy or not self.line["code"]:
            return
        self._begin("give")
        yield
        given = (self.line["code"], self._mark, self._storage(_typed(form)))
        if await self._has_done(lambda: places.set_storage(guard.actor(), *given)):
            self.ready = False
            yield
            await self._show(guard.actor(), self.line["code"])
            yield NoticeState.tell("green", "The storage was written to, read and cleaned. It is in use now.")

    @rx.event
    @guard.operators()
    async def check(self):
        """Try the storage as it is."""
        if self.busy or not self.line["code"]:
            return
        self._begin("check")
        yield
        if await self._has_done(lambda: places.check(guard.actor(), self.line["code"])):
            await self._show(guard.actor(), self.line["code"])
            yield NoticeState.tell("green", "The storage was written to, read and cleaned.")
        elif told := " ".join(self.errors.values()) or self.error:
            self.errors, self.error = {}, ""
            yield NoticeState.tell("red", told)

    @rx.event
    @guard.operators()
    async def ask(self):
        """Ask whether the location is to be retired."""
        self.asking = bool(self.line["code"]) and self.line["open"]

    @rx.event
    @guard.operators()
    async def close(self):
        """Leave it open."""
        self.asking = False

    @rx.event
    @guard.operators()
    async def turn(self):
        """Retire the location that was asked about, or open it again."""
        code, mark, was_open = self.line["code"], self._mark, self.line["open"]
        if self.busy or not code or was_open != self.asking:
            return
        self._begin("turn")
        yield
        try:
            if was_open:
                await db.work(places.retire, guard.actor(), code, mark, partners=self.partners)
            else:
                await db.work(places.reopen, guard.actor(), code, mark)
        except PortalError as refusal:
            yield NoticeState.tell("red", refusal.sentence)
        else:
            said = "is retired: its accounts stay, new ones go elsewhere" if was_open else "is open for new accounts"
            yield NoticeState.tell("green", f"{self.line['name']} {said}.")
        finally:
            self.busy, self.asking = "", False
        await self._show(guard.actor(), code)

    def _begin(self, what: str) -> None:
        self.busy, self.errors, self.error = what, {}, ""

    async def _has_done(self, do: Callable[[], Any]) -> bool:
        try:
            await anyio.to_thread.run_sync(do)
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return False
        finally:
            self.busy = ""
        return True

    def _storage(self, typed: dict[str, str]) -> StorageForm:
        return StorageForm(self.chosen, typed.get("folder", ""), storage_credentials.from_form(typed))

    async def _show(self, actor: Actor, code: str) -> None:
        row: PlaceUse = await db.look(places.one, actor, code)
        self.line, self.chosen, self._mark = _line(row, actor.time_zone), row.kind, row.mark
        self.folder = row.place if row.kind == PlaceKind.FOLDER else ""
        self.tasks, self.partners, self.ready = row.tasks, row.partners, True


def _typed(form: dict) -> dict[str, str]:
    return {str(key): text[:_LONGEST] for key, text in form.items() if isinstance(text, str)}


def _line(row: PlaceRow, time_zone: str) -> PlaceLine:
    return PlaceLine(
        code=row.code,
        name=row.name,
        kind=KINDS[PlaceKind(row.kind)],
        place=row.place,
        accounts=f"{row.accounts:,}",
        size=size_text(row.size_bytes),
        open=row.active,
        checked=moment(row.checked_at, time_zone),
    )
