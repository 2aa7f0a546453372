"""What an idle process takes, beside Django's and an empty one of the same stack, and each tab that is open."""

import urllib.request
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from tests.bench import raw, tab
from tests.bench.servers import BARE, DJANGO, FLOOR, PORTAL, REDIS, Server, start

TAB, TAB_REDIS = "tab", "tab-with-redis"
# The first tabs fill caches that all share.
FIRST, BATCH, BATCHES = 20, 100, 3
TABS = {PORTAL: TAB, REDIS: TAB_REDIS}
TIMES = 3


def measure(accounts: int, folder: Path) -> dict[str, list[float]]:
    """MB of each idle process, some starts each; kB of a tab, some batches each."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in range(TIMES):
        for name in (FLOOR, DJANGO, BARE, PORTAL):
            with start(name, accounts, folder / f"{one}" / name) as server:
                found[name].append(_idle(server))
    for name, told in TABS.items():
        with start(name, accounts, folder / told, sockets_per_address=1000) as server:
            found[told] = _of_tabs(server)
    return found


def _idle(server: Server) -> float:
    """MB of the process that answers, once it has answered a page to who is signed in."""
    if server.name == PORTAL:
        raw.use(server.folder)
        opened = tab.Tab(server.url, tab.cookie())
        opened.settle()
        opened.close()
    else:
        asked = urllib.request.Request(server.url, headers={"Cookie": server.cookie})  # noqa: S310
        urllib.request.urlopen(asked, timeout=30).close()  # noqa: S310
    return _kilobytes(_serving(server.pid), "Rss") / 1000


def _of_tabs(server: Server) -> list[float]:
    """kB of each, of batches that are opened one after the other and stay open."""
    raw.use(server.folder)
    cookie, taken = tab.cookie(), []
    with ExitStack() as opened:
        for number in (FIRST, *[BATCH] * BATCHES):
            before = _private(server.pid)
            for one in [tab.Tab(server.url, cookie) for _ in range(number)]:
                opened.callback(one.close)
                one.settle()
            taken.append((_private(server.pid) - before) / number)
    return taken[1:]


def _serving(pid: int) -> int:
    """Granian watches over a process that serves. The portal serves itself; its worker is no part of it."""
    if b"granian" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        return pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(map(int, children), key=lambda child: _kilobytes(child, "Rss"))


def _private(pid: int) -> int:
    return _kilobytes(pid, "Private_Clean") + _kilobytes(pid, "Private_Dirty")


def _kilobytes(pid: int, what: str) -> int:
    told = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in told if line.startswith(f"{what}:"))
