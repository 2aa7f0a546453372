"""Bytes over the wire and layout shift, counted by the browser itself."""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isal import isal_zlib
from playwright.sync_api import Browser, Page

from portal_app.shell import sockets
from tests.bench import browser as at
from tests.bench.browser import Visitor
from tests.bench.servers import several

# Everything has come when nothing is on its way and nothing came for so long; the charts follow the rows sooner.
IDLE_SECONDS, LONGEST_SECONDS = 0.5, 30.0
LOOK_MS = 50
MASK, SHORT, LONG, LONGEST_SHORT = 4, 2, 4, 125
# A message ends without the four bytes of its flush.
TAIL = 4


@dataclass
class Meter:
    """Counts what goes over the wire of a page: HTTP with its headers, socket frames with theirs."""

    http: int = 0
    socket: int = 0
    requests: int = 0
    frames: int = 0
    deflated: bool = False
    under_way: set[str] = field(default_factory=set)
    stirred: float = field(default_factory=time.monotonic)
    packer: Any = field(default_factory=lambda: zlib.compressobj(wbits=-sockets.WINDOW_BITS))

    def listen(self, page: Page) -> None:
        """Begin to count."""
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", lambda event: self._stir(event, begins=True))
        session.on("Network.loadingFailed", self._stir)
        session.on("Network.loadingFinished", self._loaded)
        session.on("Network.webSocketHandshakeResponseReceived", self._connected)
        session.on("Network.webSocketFrameReceived", lambda event: self._frame(event, 0))
        session.on("Network.webSocketFrameSent", lambda event: self._frame(event, MASK))

    def settle(self, page: Page) -> None:
        """Wait until everything has come."""
        ends = time.monotonic() + LONGEST_SECONDS
        while self.under_way or time.monotonic() - self.stirred < IDLE_SECONDS:
            if time.monotonic() > ends:
                raise TimeoutError(f"{len(self.under_way)} requests are still on their way")
            page.wait_for_timeout(LOOK_MS)

    def take(self) -> dict[str, int]:
        """What was counted since the last time."""
        taken = {"bytes": self.http + self.socket, "http": self.http, "socket": self.socket}
        taken |= {"requests": self.requests, "frames": self.frames}
        self.http = self.socket = self.requests = self.frames = 0
        return taken

    def _stir(self, event: dict[str, Any], *, begins: bool = False) -> None:
        self.stirred = time.monotonic()
        (self.under_way.add if begins else self.under_way.discard)(event["requestId"])

    def _loaded(self, event: dict[str, Any]) -> None:
        self._stir(event)
        self.http += int(event["encodedDataLength"])
        self.requests += 1

    def _connected(self, event: dict[str, Any]) -> None:
        headers = {key.lower(): value for key, value in event["response"]["headers"].items()}
        self.deflated |= "permessage-deflate" in headers.get("sec-websocket-extensions", "")

    def _frame(self, event: dict[str, Any], mask: int) -> None:
        self.stirred = time.monotonic()
        size = self._compressed(event["response"]["payloadData"].encode(), mask)
        self.socket += size + mask + (SHORT if size <= LONGEST_SHORT else LONG)
        self.frames += 1

    def _compressed(self, data: bytes, mask: int) -> int:
        """The size on the wire. The browser tells frames as they were before: so they are compressed once more here."""
        if not self.deflated:
            return len(data)
        # Pages remember their messages when they send the next; the server does not.
        packer = self.packer if mask else isal_zlib.compressobj(sockets.SETTINGS["level"], wbits=-zlib.MAX_WBITS)
        return len(packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)) - TAIL


def measure(browser: Browser, accounts: int, folder: Path, times: int = 3) -> dict[str, dict[str, Any]]:
    """Per server: the first load, one click of each kind, and the layout shift of a first load."""
    with several(accounts, folder) as servers:
        visitors = [Visitor(browser, server) for server in servers]
        return {one.server.name: _weigh(one) | {"layout shift": _shift(one, times)} for one in visitors}


def _weigh(visitor: Visitor) -> dict[str, Any]:
    context, meter = visitor.new_context(), Meter()
    page = context.new_page()
    meter.listen(page)
    page.goto(visitor.server.url)
    found: dict[str, Any] = {"first load": _settled(page, meter)}
    clicks: dict[str, Callable[[], Any]] = {
        "filter": lambda: at.filter_by(page, "monthly"),
        "next page": lambda: at.next_page(page),
        "sort": lambda: at.sort_by(page, 6),
        "search": lambda: at.search(page, "novak"),
    }
    for what, act in clicks.items():
        act()
        found[what] = _settled(page, meter)
    context.close()
    return found | {"socket deflated": meter.deflated}


def _settled(page: Page, meter: Meter) -> dict[str, int]:
    at.painted(page)
    meter.settle(page)
    return meter.take()


def _shift(visitor: Visitor, times: int) -> float:
    """The largest sum of shifts of so many first loads, until everything has come."""
    shifts = []
    for _ in range(times):
        with visitor.new_context() as context:
            page, meter = context.new_page(), Meter()
            meter.listen(page)
            page.goto(visitor.server.url)
            at.painted(page)
            meter.settle(page)
            shifts.append(page.evaluate("bench.shifts"))
    return max(shifts)
