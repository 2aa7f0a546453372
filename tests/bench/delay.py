"""A network in between: 60 ms there and back, 20 Mbit/s down.

`python -m tests.bench.delay PORT:TO …` listens on each port and passes everything on to the other. Each
direction takes half of the time; what comes down shares one line; a new connection costs one way there and back, as
TCP's own greeting would. Over it: first loads and clicks of the portal beside the floor.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from tests.bench import data
from tests.bench import rounds as at
from tests.bench.browser import Visitor
from tests.bench.rounds import Figures
from tests.bench.servers import FLOOR, PORTAL, Server, free_port, running, several, wait_for

THERE_AND_BACK, BITS_A_SECOND = 0.060, 20_000_000
PIECE = 8192


@dataclass
class Line:
    """What comes down: one piece after the other. Times are those of the loop."""

    free_at: float = 0.0

    def passed(self, size: int, now: float) -> float:
        """When so many bytes, sent now, are through."""
        self.free_at = max(self.free_at, now) + size * 8 / BITS_A_SECOND
        return self.free_at


async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, line: Line | None) -> None:
    """Everything from the one to the other, each piece half of the way's time later."""
    now, under_way = asyncio.get_running_loop().time, asyncio.Queue[tuple[float, bytes]]()
    arriving = asyncio.create_task(_arrive(under_way, target))
    with suppress(ConnectionError):
        while piece := await source.read(PIECE):
            through = line.passed(len(piece), now()) if line else now()
            under_way.put_nowait((through + THERE_AND_BACK / 2, piece))
    under_way.put_nowait((now() + THERE_AND_BACK / 2, b""))
    await arriving


async def _arrive(under_way: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter) -> None:
    now = asyncio.get_running_loop().time
    with suppress(ConnectionError):
        while True:
            at_time, piece = await under_way.get()
            await asyncio.sleep(at_time - now())
            if not piece:
                break
            target.write(piece)
            await target.drain()
    target.close()


async def serve(ports: list[tuple[int, int]]) -> None:
    """Listen until ended."""
    line = Line()

    async def listen(port: int, to: int) -> asyncio.Server:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(THERE_AND_BACK)
            inner, out = await asyncio.open_connection("127.0.0.1", to)
            await asyncio.gather(pass_on(reader, out, None), pass_on(inner, writer, line))

        return await asyncio.start_server(connected, "127.0.0.1", port)

    await asyncio.gather(*[(await listen(port, to)).serve_forever() for port, to in ports])


def measure(browser: Browser, accounts: int, number: int, seed: int, folder: Path) -> Figures:
    """So many rounds: first loads, and clicks."""
    figures: Figures = defaultdict(lambda: defaultdict(list))
    chooser = Random(seed)
    with several(accounts, folder, (FLOOR, PORTAL)) as servers, _far(servers, folder) as far:
        visits = [at.open_page(Visitor(browser, server)) for server in far]
        for one in range(-at.WARM_UP, number):
            for visitor, page in chooser.sample(visits, len(visits)):
                times = {at.COLD: visitor.cold_load()} | at.clicks(page, one % 12, chooser)
                for what, time in times.items() if one >= 0 else ():
                    figures[what][visitor.server.name].append(time)
        for _, page in visits:
            page.context.close()
    return figures


@contextmanager
def _far(servers: list[Server], folder: Path) -> Iterator[list[Server]]:
    """The same servers behind the network."""
    ports = [free_port() for _ in servers]
    passed = [f"{port}:{urlsplit(one.url).port}" for port, one in zip(ports, servers, strict=True)]
    with running([sys.executable, "-m", "tests.bench.delay", *passed], data.environment(), folder / "delay.log"):
        far = [replace(one, url=f"http://127.0.0.1:{port}") for one, port in zip(servers, ports, strict=True)]
        for one in far:
            wait_for(one.url)
        yield far


if __name__ == "__main__":
    asyncio.run(serve([(int(port), int(to)) for port, _, to in (one.partition(":") for one in sys.argv[1:])]))
