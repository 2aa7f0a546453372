"""The state of Import from a Portal. What was read lies in the database; here is only what the page shows of it."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
import reflex as rx
from sqlmodel import Session

from portal_app import db
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid, NotFound, PortalError
from portal_app.models import PortalImportState
from portal_app.portal_import import report, rows, service
from portal_app.portal_import.report import Report
from portal_app.portal_import.rows import AccountLine, BillLine, Figure, NameLine, ValueLine, Wanted
from portal_app.portal_import.service import Seen
from portal_app.shell.state import enter
from portal_app.ui.choice import Option, option

PATH = "/accounts/import/portal"
PAGE = 25
SECONDS_BETWEEN_LOOKS = 0.5
WORKING = (PortalImportState.READING, PortalImportState.APPLYING)
LISTS = ("accounts", "values", "bills")


class ImportPortalState(rx.State):
    """`phase`: loading, form, reading, ready, applying, done, failed, missing. `shown` is one of LISTS."""

    phase: str = "loading"
    problem: str = ""
    errors: dict[str, str] = {}
    busy: bool = False
    import_id: str = ""
    source: str = ""
    words: str = ""
    percent: int = 0
    figures: list[Figure] = []
    oddities: list[str] = []
    failed: list[str] = []
    regions: list[Wanted] = []
    statuses: list[Wanted] = []
    places: list[Option] = []
    names: list[NameLine] = []
    name_count: int = 0
    digits: bool = False
    can_import: bool = False
    sees_bills: bool = False
    shown: str = "accounts"
    accounts: list[AccountLine] = []
    values: list[ValueLine] = []
    bills: list[BillLine] = []
    account_count: int = 0
    value_count: int = 0
    bill_count: int = 0
    page: int = 1
    pages: int = 1
    before: str = ""
    after: str = ""
    left_id: str = ""
    left_source: str = ""

    _digest: str = ""
    # Grows with each load: who watches for an earlier one ends.
    _turn: int = 0

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def load(self):
        """Show what the address asks for: the form, or an import and how far it is."""
        actor = await enter(self)
        turn = self._turn + 1
        self.reset()
        self._turn = turn
        self.sees_bills = actor.may(Permission.BILLING_VIEW)
        self.import_id = str(self.router.url.query_parameters.get("import", ""))[:60]
        if not self.import_id:
            return await self._show_form(actor)
        return await self._open(actor)

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def answer(self):
        """Another page of a list, or another list, as the address says."""
        await self._show(guard.actor())

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def begin(self, form: dict):
        """Read the portal for a dry run; faults stand by their fields, and what was typed stays."""
        if self.busy:
            return
        self.busy, self.errors, self.problem = True, {}, ""
        yield
        try:
            import_id = await db.work(service.begin, guard.actor(), form)
        except Invalid as refusal:
            self.errors, self.problem = refusal.fields, refusal.sentence
            return
        except PortalError as refusal:
            self.problem = refusal.sentence
            return
        finally:
            self.busy = False
        yield rx.redirect(f"{PATH}?import={import_id}")

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def watch(self):
        """Follow the reading or the import until it ends; it goes on without anybody who watches."""
        async with self:
            turn, import_id = self._turn, self.import_id
        while True:
            async with self:
                if self._turn != turn:
                    return
                actor = await guard.check_again(self, Permission.ACCOUNTS_ADD)
            seen = await _find(actor, import_id)
            async with self:
                if self._turn != turn:
                    return
                if seen is None or seen.state not in WORKING:
                    await self._open(actor)
                    return
                self.percent, self.words = seen.percent, seen.words or "Waiting for its turn …"
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def choose(self, form: dict):
        """The dry run with other choices."""
        if self.busy or self.phase != "ready":
            return
        self.busy, self.problem = True, ""
        yield
        actor = guard.actor()
        try:
            await anyio.to_thread.run_sync(service.choose, actor, self.import_id, self._chosen(form))
            await self._open(actor)
        except PortalError as refusal:
            self.problem = refusal.sentence
        finally:
            self.busy = False

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def start(self):
        """Import what the dry run says. A second click finds it under way, or done."""
        actor = guard.actor()
        try:
            await db.work(service.start, actor, self.import_id, self._digest)
        except PortalError as refusal:
            self.problem = refusal.sentence
            return None
        return await self._open(actor)

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ADD)
    async def forget(self):
        """Forget the dry run, and stop the reading."""
        await db.work(service.forget, guard.actor(), self.import_id)
        return rx.redirect(PATH)

    async def _show_form(self, actor: Actor) -> None:
        left = await db.look(service.last, actor)
        if left is not None:
            self.left_id, self.left_source = left.id, left.source
        self.phase = "form"

    async def _open(self, actor: Actor) -> Any:
        seen = await _find(actor, self.import_id)
        if seen is None:
            self.phase = "missing"
            return None
        self.source, self.problem = seen.source, seen.fault
        self.phase, self.percent, self.words, self._digest = seen.state, seen.percent, seen.words, seen.digest
        if seen.state in WORKING:
            return ImportPortalState.watch
        if seen.state != PortalImportState.FAILED:
            await self._show(actor)
        return None

    async def _show(self, actor: Actor) -> None:
        seen, found, places = await db.look(_read, actor, self.import_id)
        self.figures, self.oddities = rows.figures(found), found.oddities
        self.failed = [f"{name}: {sentence}" for name, sentence in found.failed]
        self.can_import = bool(found.totals.get("add") or found.totals.get("change"))
        self.places = places
        self.regions = rows.wanted("region", found.regions, seen.choices.regions)
        self.statuses = rows.wanted("status", found.statuses, seen.choices.statuses)
        self.names = [NameLine(name=name, shorter=shorter) for name, shorter in found.names]
        self.name_count, self.digits = found.name_count, seen.choices.digits
        self.account_count, self.value_count = len(found.lines), len(found.faults)
        await self._show_list(actor, found)

    async def _show_list(self, actor: Actor, found: Report) -> None:
        asked = self.router.url.query_parameters
        self.shown = asked.get("list", "") if asked.get("list", "") in LISTS else "accounts"
        number = str(asked.get("page", "1"))
        self.page = max(1, int(number)) if number.isdecimal() and len(number) < 7 else 1
        start = (self.page - 1) * PAGE
        self.accounts, self.values = rows.account_lines(found, start, PAGE), rows.value_lines(found, start, PAGE)
        if self.sees_bills:
            kept, self.bill_count = await db.look(service.bills, actor, self.source, self.page, PAGE)
            self.bills = rows.bill_lines(kept)
        count = {"accounts": self.account_count, "values": self.value_count, "bills": self.bill_count}[self.shown]
        self.pages = max(1, -(-count // PAGE))
        self.before, self.after = self._address(self.page - 1), self._address(self.page + 1)

    def _address(self, page: int) -> str:
        return f"{PATH}?{urlencode({'import': self.import_id, 'list': self.shown, 'page': page})}"

    def _chosen(self, form: dict[str, Any]) -> dict[str, Any]:
        """The form's selects by the words they stand for."""
        regions = {one["word"]: form.get(one["field"], "") for one in self.regions}
        statuses = {one["word"]: form.get(one["field"], "") for one in self.statuses}
        return {
            "regions": {_word(word): int(value) for word, value in regions.items() if str(value).isdecimal()},
            "statuses": {_word(word): str(value) for word, value in statuses.items() if value},
            "digits": form.get("digits") == "drop",
        }


def _word(shown: str) -> str:
    return "" if shown == "(none)" else shown


async def _find(actor: Actor, import_id: str) -> Seen | None:
    try:
        return await db.look(service.find, actor, import_id)
    except NotFound:
        return None


def _read(session: Session, actor: Actor, import_id: str) -> tuple[Seen, Report, list[Option]]:
    places = [option(str(center.id), center.name) for center in report.centers_of(session)]
    return service.find(session, actor, import_id), service.dry_run(session, actor, import_id), places
