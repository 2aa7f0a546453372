"""What a page's event takes on the server, beside the floor's request for the same; and how many a second there are.

An event goes over the socket of a hydrated dashboard, a request over a connection that stays; both clients are the same
few lines on blocking sockets (`tab`).
"""

import selectors
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from tests.bench import raw, tab
from tests.bench.rounds import FILTER, NEXT, SEARCH_MANY, SORT
from tests.bench.servers import FLOOR, FOUR, INDEXED, PORTAL, REDIS, Server, several

Times = dict[str, dict[str, list[float]]]  # what was asked -> server -> milliseconds
Rates = dict[str, list[float]]  # server -> answers a second
SERVERS = (FLOOR, INDEXED, PORTAL, REDIS)
INLINE = "floor, inline"
# Each question, as the floor is asked and as the page of the portal asks; then the way back.
QUESTIONS: dict[str, tuple[str, tuple[str, dict[str, Any]]]] = {
    FILTER: ("/rows?status=monthly", ("change", {"name": "status", "value": "monthly"})),
    NEXT: ("/rows?page=2", ("answer", {"address": "/?page=2"})),
    SORT: ("/rows?sort=-amount", ("answer", {"address": "/?sort=amount&desc=1"})),
    SEARCH_MANY: ("/rows?search=novak", ("change", {"name": "search", "value": "novak"})),
}
# Plain LIKE takes seconds at a million, and nobody compares with it.
SLOW = (SEARCH_MANY, FLOOR)
BACK = ("answer", {"address": "/"})
WARM_UP = 3
# One socket may send 40 events a second: several take turns, so many that none comes near it on the idlest process.
TABS, AT_ONCE, SECONDS, WINDOWS = 6, 100, 2.0, 3


def measure(accounts: int, number: int, seed: int, folder: Path) -> Times:
    """Every question so often, in shuffled order over all servers."""
    times: Times = defaultdict(lambda: defaultdict(list))
    chooser = Random(seed)
    with several(accounts, folder, SERVERS) as servers, _clients(servers, TABS) as clients:
        turns = {server.name: cycle(clients[server.name]) for server in servers}
        asked = [(what, server.name) for what in QUESTIONS for server in servers if (what, server.name) != SLOW]
        for one in range(-WARM_UP * TABS, number):
            for what, name in chooser.sample(asked, len(asked)):
                client = next(turns[name])
                client.rest()
                took = _there_and_back(client, what)
                times[what][name] += [took] if one >= 0 else []
    return times


def rates(accounts: int, folder: Path, windows: int = WINDOWS) -> Rates:
    """Answers a second of one process each, and of four, asked by many at once; in turn, in windows of some seconds."""
    found: Rates = defaultdict(list)
    with several(accounts, folder, (FLOOR, PORTAL, REDIS, FOUR)) as servers, _clients(servers, AT_ONCE) as clients:
        asked = {server.name: _turning(server.name) for server in servers} | {INLINE: _inline}
        clients[INLINE] = clients[FLOOR]
        for one in range(-1, windows):
            for name, questions in asked.items():
                for client in (each for of in clients.values() for each in of):
                    client.rest()
                rate = _rate(clients[name], questions)
                found[name] += [rate] if one >= 0 else []
    return found


def _there_and_back(client: tab.Client, what: str) -> float:
    plain, event = QUESTIONS[what]
    if isinstance(client, tab.Http):
        return tab.ask(client, plain)
    took = tab.ask(client, event)
    tab.ask(client, BACK)
    return took


def _rate(clients: list[tab.Client], questions: Callable[[int], Any]) -> float:
    """Everybody asks again as soon as they are answered."""
    answered = 0
    with selectors.DefaultSelector() as ready:
        for number, client in enumerate(clients):
            ready.register(client, selectors.EVENT_READ, [number])
            client.send(questions(number))
        begun = time.perf_counter()
        while (passed := time.perf_counter() - begun) < SECONDS or ready.get_map():
            for key, _ in ready.select(tab.SECONDS):
                client, asked = key.fileobj, key.data
                if not client.answered():
                    continue
                answered += passed < SECONDS
                if passed < SECONDS:
                    asked[0] += 1
                    client.send(questions(asked[0]))
                else:
                    ready.unregister(client)
    return answered / SECONDS


def _turning(name: str) -> Callable[[int], Any]:
    """Pages on and back."""
    if name == FLOOR:
        return lambda number: f"/rows?page={number % 2 + 1}"
    return lambda number: ("answer", {"address": f"/?page={number % 2 + 1}"})


def _inline(number: int) -> str:
    return f"/inline/rows?page={number % 2 + 1}"


@contextmanager
def _clients(servers: list[Server], number: int) -> Iterator[dict[str, list[tab.Client]]]:
    """So many of each server, loaded and ready."""
    made = {server.name: [_client(server, cookie) for cookie in [_cookie(server)] * number] for server in servers}
    everybody = [one for of in made.values() for one in of]
    try:
        for client in everybody:
            client.settle()
        yield made
    finally:
        for client in everybody:
            client.close()


def _cookie(server: Server) -> str:
    if server.name in (FLOOR, INDEXED):
        return ""
    raw.use(server.folder)
    return tab.cookie()


def _client(server: Server, cookie: str) -> tab.Client:
    return tab.Tab(server.url, cookie) if cookie else tab.Http(server.url)
