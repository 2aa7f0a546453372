"""A tab without a browser, many of which fit into one process: it connects, loads and comes back as the page does."""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

ROOT = "reflex___state____state"
DASHBOARD = f"{ROOT}.portal_app___dashboard___state____dashboard_state"
SETTINGS = f"{ROOT}.portal_app___account_settings___state____account_settings_state"
NOTICE = f"{ROOT}.portal_app___shell___state____notice_state"
MESSAGE = "42/_event,"
VAR = "_rx_state_"
# A click without an answer for so long is given up, as a person would.
PATIENCE = 15.0
# As the page waits before it tries again.
BACK_OFF, LONGEST_BACK_OFF = 0.2, 2.0
SORTS = ("name", "amount", "size", "status")
STATUSES = ("", "monthly", "annual", "trial_started")


class Lost(Exception):
    """The connection is gone, or was not to be had."""


@dataclass
class Phase:
    """What all tabs saw since a fault, or since the beginning."""

    seconds: list[float] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)


@dataclass
class Tally:
    """What all tabs saw."""

    phases: defaultdict[str, Phase] = field(default_factory=lambda: defaultdict(Phase))
    phase: str = "before any fault"
    # Each with the phase in which it was.
    sent: dict[str, str] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    answered: int = 0
    goes_on: bool = True

    def note(self, what: str) -> None:
        """One more of these."""
        self.phases[self.phase].seen[what] += 1

    def note_wrong(self, what: str) -> None:
        """Something that no page may show."""
        self.note("wrong")
        self.wrong.append(what)

    def note_answer(self, seconds: float) -> None:
        """A click was answered after so long."""
        self.answered += 1
        self.phases[self.phase].seconds.append(seconds)


class Tab:
    """One open page. Subclasses know what people click on it."""

    path = "/"
    pause = 0.0

    def __init__(self, tally: Tally, urls: Sequence[str], cookie: str) -> None:
        self.tally, self.urls, self.cookie = tally, urls, cookie
        self.token = str(uuid4())
        self.shown: dict[str, dict[str, Any]] = {}
        self.last_answer = time.monotonic()
        self._changed = asyncio.Event()
        self._gone = False
        self._connected = False
        self._socket: ClientConnection | None = None

    async def live(self) -> None:
        """Load, click, and come back after each loss, until the tally says that it is over."""
        losses = 0
        while self.tally.goes_on:
            try:
                await self._open()
                losses = 0
                while self.tally.goes_on:
                    await asyncio.sleep(random.expovariate(1 / self.pause) if self.pause else 0)
                    await self._patiently_click()
            except Lost:
                losses += 1
                self.tally.note("came back")
                await asyncio.sleep(min(BACK_OFF * (losses - 1), LONGEST_BACK_OFF))
            finally:
                await self._close()

    async def click(self) -> None:
        """One click and its answer."""
        raise NotImplementedError

    def is_loaded(self) -> bool:
        """Whether the page is whole."""
        raise NotImplementedError

    def hear(self, delta: dict[str, dict[str, Any]]) -> None:
        """Look at what came and is shown now."""

    def var(self, state: str, name: str) -> Any:
        """What the page shows."""
        return self.shown.get(state, {}).get(name + VAR)

    async def ask(self, handler: str, payload: dict[str, Any], answered: Callable[[], bool]) -> bool:
        """Click and wait: False when the page said that it could not be done, or nothing came."""
        self.told = ""
        begun = time.monotonic()
        await self._send(handler, payload)
        if not await self._until(lambda: bool(self.told) or answered()):
            self.tally.note("unanswered")
            self.silent += 1
            return False
        if self.told and not answered():
            self.tally.note("told")
            return False
        self.tally.note_answer(time.monotonic() - begun)
        self.last_answer = time.monotonic()
        return True

    async def _patiently_click(self) -> None:
        self.silent = 0
        await self.click()
        if self.silent:
            await self.click()
        if self.silent > 1:
            # Twice no answer on an open socket: only a reload would help.
            self.tally.note("stuck")
            raise Lost

    async def _open(self) -> None:
        self.shown, self._gone, self._connected = {}, False, False
        address = random.choice(self.urls).replace("http", "ws", 1)
        address += f"/_event/?token={self.token}&EIO=4&transport=websocket"
        try:
            self._socket = await connect(address, additional_headers={"Cookie": self.cookie}, ping_interval=None)
        except (OSError, InvalidHandshake, InvalidMessage, ConnectionClosed, TimeoutError) as fault:
            raise Lost from fault
        self._reader = asyncio.create_task(self._read(self._socket))
        event = self._event(f"{ROOT}.hydrate_and_load", {})
        await self._write("40/_event," + json.dumps({"event": event}))
        if not await self._until(lambda: self.var(ROOT, "is_hydrated") is True and self.is_loaded()):
            self.tally.note("stuck")
            raise Lost

    async def _close(self) -> None:
        if self._socket is not None:
            with suppress(ConnectionClosed, OSError):
                await self._socket.close()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._socket = None

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                await self._take(str(text))
        except (ConnectionClosed, OSError, Lost):
            pass
        finally:
            self._gone = True
            self._changed.set()

    async def _take(self, text: str) -> None:
        if text == "2":
            await self._write("3")
        elif text.startswith("44/_event"):
            self.tally.note("asked to wait")
            raise Lost
        elif text[:2] not in {"0{", "40", "42"}:
            # As the page's client does with what it can't read.
            raise Lost
        elif text.startswith(MESSAGE):
            kind, what = json.loads(text.removeprefix(MESSAGE))[:2]
            if kind == "new_token":
                self.token = what
            elif kind == "event":
                self._show(what.get("delta") or {})

    def _show(self, delta: dict[str, dict[str, Any]]) -> None:
        for state, values in delta.items():
            self.shown.setdefault(state, {}).update(values)
        # A page that is loaded anew shows everything, and answers nothing. Until then it is not known what it shows.
        if "is_hydrated" + VAR not in delta.get(ROOT, {}) and self.var(ROOT, "is_hydrated") is not None:
            self.hear(delta)
        notice = delta.get(NOTICE, {})
        if notice.get("text" + VAR) and self.var(NOTICE, "kind") == "red":
            self.told = notice["text" + VAR]
        self._changed.set()

    told, silent = "", 0

    async def _until(self, done: Callable[[], bool]) -> bool:
        ends = time.monotonic() + PATIENCE
        while not done():
            if self._gone:
                raise Lost
            self._changed.clear()
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + ends - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return True

    def _event(self, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        path, _, asked = self.path.partition("?")
        where = {"pathname": path, "asPath": self.path, "query": dict(parse_qsl(asked))}
        return {"name": name, "payload": payload, "router_data": where}

    async def _send(self, handler: str, payload: dict[str, Any]) -> None:
        await self._write(MESSAGE + json.dumps(["event", self._event(handler, payload)]))

    async def _write(self, text: str) -> None:
        try:
            await self._socket.send(text)  # type: ignore[union-attr]
        except (ConnectionClosed, OSError) as fault:
            raise Lost from fault


class Reader(Tab):
    """Somebody at the dashboard of a partner whose accounts are all called by its code."""

    def __init__(self, tally: Tally, urls: Sequence[str], cookie: str, code: str) -> None:
        super().__init__(tally, urls, cookie)
        self.code = code
        # What the click in hand is to show, and what those were to show whose answer did not come: it may come yet.
        self._wanted: Callable[[], bool] | None = None
        self._late: deque[Callable[[], bool]] = deque(maxlen=3)
        self._unsure: set[int] = set()

    def is_loaded(self) -> bool:
        return self.var(DASHBOARD, "loading") is False and self.var(DASHBOARD, "ticked") is not None

    def hear(self, delta: dict[str, dict[str, Any]]) -> None:
        here = delta.get(DASHBOARD, {})
        if "turn" + VAR in here:
            self.path = self.var(DASHBOARD, "address")
            if self._wanted is not None and self._wanted():
                self._wanted = None
            elif (late := next((one for one in self._late if one()), None)) is not None:
                self._late.remove(late)
            else:
                self.tally.note_wrong(f"a click at {self.path} was answered with something else")
        for line in here.get("lines" + VAR, ()):
            if not line["name"].startswith(self.code):
                self.tally.note_wrong(f"{self.code} was shown {line['name']}")

    async def click(self) -> None:
        kind = random.choice(("filter", "sort", "page", "tick", "tick"))
        await getattr(self, f"_{kind}")()

    async def _filter(self) -> None:
        await self._change("status", random.choice(STATUSES))

    async def _sort(self) -> None:
        await self._change("sort", random.choice(SORTS))

    async def _change(self, name: str, value: str) -> None:
        await self._asked("change", {"name": name, "value": value}, lambda: self.var(DASHBOARD, name) == value)

    async def _page(self) -> None:
        page = random.randint(1, 4)
        await self._asked("answer", {"address": f"/?page={page}"}, lambda: self.var(DASHBOARD, "page") == page)

    async def _asked(self, handler: str, payload: dict[str, Any], right: Callable[[], bool]) -> None:
        self._wanted = right
        try:
            await self.ask(f"{DASHBOARD}.{handler}", payload, lambda: self._wanted is None)
        finally:
            if self._wanted is not None:
                self._late.append(right)
                self._wanted = None

    async def _tick(self) -> None:
        """What is ticked is kept by the server alone, from click to click."""
        here, ticked = [line["id"] for line in self.var(DASHBOARD, "lines")], self.var(DASHBOARD, "ticked")
        if not here:
            await self._filter()
            return
        one = random.choice(here)
        rest = set(ticked) - {one}
        wanted = rest if one in ticked else rest | {one}
        payload = {"account_id": one, "ticked": one not in ticked}
        sure = False

        def is_ticked() -> bool:
            now = set(self.var(DASHBOARD, "ticked"))
            return now - self._unsure == wanted - self._unsure and (one in now) == (one in wanted)

        try:
            sure = await self.ask(f"{DASHBOARD}.tick", payload, is_ticked)
        finally:
            if not sure:
                self._unsure.add(one)


class Writer(Tab):
    """Somebody who gives an account a new name again and again: each writes one row into the audit."""

    def __init__(self, tally: Tally, urls: Sequence[str], cookie: str, account_id: int) -> None:
        super().__init__(tally, urls, cookie)
        self.path = f"/accounts/{account_id}/settings"
        self.own, self.number, self.newest = f"Renamed {account_id} ", 0, 0
        self.saves = 0

    def is_loaded(self) -> bool:
        return self.var(SETTINGS, "ready") is True

    def hear(self, delta: dict[str, dict[str, Any]]) -> None:
        self.saves += delta.get(NOTICE, {}).get("text" + VAR) == "Saved."
        name = delta.get(SETTINGS, {}).get("name" + VAR, "")
        if not name.startswith("Renamed "):
            return
        number = int(name.rpartition(" ")[2])
        if not name.startswith(self.own) or number < self.newest:
            self.tally.note_wrong(f"{self.own}{self.newest} was shown {name}")
        self.newest = max(number, self.newest)

    async def click(self) -> None:
        self.number += 1
        mark, before = f"{self.own}{self.number}", self.saves
        self.tally.sent[mark] = self.tally.phase
        form = {"name": mark, "email": self.var(SETTINGS, "email"), "place": self.var(SETTINGS, "place_id")}

        def is_saved() -> bool:
            return self.saves > before and self.var(SETTINGS, "name") == mark

        if await self.ask(f"{SETTINGS}.save", {"form": form}, lambda: is_saved() or self._refused()):
            if is_saved():
                self.tally.saved[mark] = self.tally.phase
            else:
                self.tally.note("refused")
                raise Lost

    def _refused(self) -> bool:
        """Whether the form says that somebody else was there first: oneself, by a click whose answer was lost."""
        return bool(self.var(SETTINGS, "error"))
