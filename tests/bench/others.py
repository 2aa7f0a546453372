"""What one person's work costs others, and how long a second start takes."""

import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.bench import browser as at
from tests.bench import data
from tests.bench.browser import Visitor
from tests.bench.servers import PORTAL, Server, free_port, running, start, wait_for

BUSY = "tests.bench.busy"
QUIET = "quiet"
OPERATIONS = ("slow", "subscribe")


def beside(browser: Browser, accounts: int, clicks: int, folder: Path) -> dict[str, list[float]]:
    """Clicks of one person while nobody works, and while another's half-second operations run."""
    with start(PORTAL, accounts, folder, BUSY) as server, Visitor(browser, server).first_visit() as page:
        _turn(page, 6)
        found: dict[str, list[float]] = {QUIET: []} | {name: [] for name in OPERATIONS}
        for _ in range(3):
            found[QUIET] += _turn(page, clicks // 3)
            for name in OPERATIONS:
                with _working(server, name):
                    found[name] += _turn(page, clicks // 3)
        return found


def _turn(page: Page, clicks: int) -> list[float]:
    """Turn pages on and back."""
    return [(at.next_page if one % 2 == 0 else at.previous_page)(page) for one in range(clicks // 2 * 2)]


@contextmanager
def _working(server: Server, name: str) -> Iterator[None]:
    """Another person's operation, again as soon as it is done; the block begins when the first has begun."""
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        while not ended.is_set():
            with urllib.request.urlopen(f"{server.url}/bench/{name}", timeout=30) as answer:  # noqa: S310
                answer.readline()
                begun.set()
                answer.read()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        if not begun.wait(30):
            raise TimeoutError(f"the operation {name} has not begun")
        yield
    finally:
        ended.set()
        thread.join()


def second_start(browser: Browser, times: int, folder: Path) -> list[float]:
    """Seconds from `make run`, with nothing changed, to the first page in a browser: the sign-in."""
    folder.mkdir(parents=True)
    _make_run(folder, None)
    return [_make_run(folder, browser) for _ in range(times)]


def _make_run(folder: Path, browser: Browser | None) -> float:
    port, began = free_port(), time.monotonic()
    settings = data.environment(data_dir=folder, port=port)
    with running(["make", "run"], settings, folder / "log"):
        wait_for(f"http://127.0.0.1:{port}/")
        answered = time.monotonic() - began
        if browser is None:
            return answered
        with browser.new_context(viewport=at.WINDOW) as context:
            context.add_init_script(at.PROBE)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/login")
            page.wait_for_selector("[name=email]")
            return time.monotonic() - began
