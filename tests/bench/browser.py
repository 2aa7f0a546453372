"""One real browser, and the same probe in every page: when was what the user waits for painted?

Both pages carry the same names for the parts that are used here (`.col-name`, `#search`, `a.sort`, …).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState, sync_playwright

from tests.bench import data
from tests.bench.servers import PORTAL, Server

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
WINDOW = {"width": 1440, "height": 900}
WAIT_MS = 30_000
# Between two clicks: a person's next one doesn't fall into what the browser still does for the last.
REST_MS = 100
PROBE = """
(() => {
  const LINES = ":is(table.table, #result_list) tbody tr", NAME = ":is(td.col-name, .field-name)";
  const STATUS = ":is(td.col-status, .field-status)";
  const names = () => [...document.querySelectorAll(`${LINES} ${NAME}`)].map((cell) => cell.textContent);
  const bench = { painted: 0, began: 0, before: "", wanted: {}, armed: true, shifts: 0 };
  const done = () => {
    const shown = names(), { status, text } = bench.wanted;
    return shown.length > 0 && shown.join() !== bench.before
      && (!status || [...document.querySelectorAll(LINES)].every(
          (tr) => tr.querySelector(STATUS)?.textContent === status))
      && (!text || shown.every((name) => name.toLowerCase().includes(text)));
  };
  const look = () => {
    if (!bench.armed || !done()) return;
    bench.armed = false;
    // A message sent from the frame's callback is handled after that frame was painted.
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { bench.painted = performance.now(); };
      channel.port2.postMessage(0);
    });
  };
  bench.arm = (wanted) => {
    Object.assign(bench, { painted: 0, began: 0, wanted, before: names().join(), armed: true });
  };
  const begin = (event) => {
    if (!bench.armed || bench.began) return;
    bench.began = event.timeStamp;
    // For the page that the click leads to.
    sessionStorage.setItem("began", performance.timeOrigin + event.timeStamp);
  };
  for (const kind of ["click", "input", "change"]) addEventListener(kind, begin, { capture: true });
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) bench.shifts += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  bench.wait = (ms) => new Promise((done, late) => {
    const timer = setInterval(() => { if (bench.painted) { clearInterval(timer); done(); } }, 10);
    setTimeout(() => late(new Error("nothing was painted")), ms);
  });
  bench.rest = (ms) => new Promise((done) => setTimeout(() => requestIdleCallback(done), ms));
  window.bench = bench;
})();
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """A person with a browser at one of the servers; signed in where that is needed."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.browser, self.server = browser, server
        self.signed_in = sign_in(browser, server) if server.name == PORTAL else _stored(server)

    def new_context(self) -> BrowserContext:
        """A browser that has never been here, apart from the session cookie."""
        context = self.browser.new_context(storage_state=self.signed_in, viewport=WINDOW)
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(PROBE)
        return context

    @contextmanager
    def first_visit(self) -> Iterator[Page]:
        """The dashboard, opened with nothing in the cache; ready when its first row is painted."""
        context = self.new_context()
        try:
            page = context.new_page()
            page.goto(self.server.url, wait_until="commit")
            painted(page)
            yield page
        finally:
            context.close()

    def cold_load(self) -> float:
        """Milliseconds from the start of the navigation to the first row painted."""
        with self.first_visit() as page:
            return page.evaluate("bench.painted")


def sign_in(browser: Browser, server: Server) -> StorageState:
    """Sign in through the page; gives the cookie."""
    with browser.new_context(viewport=WINDOW) as context:
        page = context.new_page()
        page.goto(f"{server.url}/login")
        page.fill("[name=email]", data.EMAIL)
        page.fill("[name=password]", data.PASSWORD)
        page.click("button[type=submit]:has-text('Sign in')")
        page.wait_for_selector("td.col-name")
        state = context.storage_state()
    return {"cookies": state["cookies"], "origins": []}


def _stored(server: Server) -> StorageState | None:
    if not server.cookie:
        return None
    name, _, value = server.cookie.partition("=")
    kept = {"name": name, "value": value, "domain": "127.0.0.1", "path": "/", "expires": -1}
    return {"cookies": [kept | {"httpOnly": True, "secure": False, "sameSite": "Lax"}], "origins": []}


def painted(page: Page) -> None:
    """Wait until what is waited for is painted."""
    # Not wait_for_function: it needs eval in the page, which the portal's policy forbids.
    page.evaluate("(ms) => bench.wait(ms)", WAIT_MS)


def timed(page: Page, act: Any, **wanted: str) -> float:
    """Milliseconds from the user's own event to the paint of rows that differ and are as wanted."""
    page.evaluate("(ms) => bench.rest(ms)", REST_MS)
    page.evaluate("(wanted) => bench.arm(wanted)", wanted)
    act()
    painted(page)
    return page.evaluate("bench.painted - bench.began")


def followed(page: Page, link: Locator) -> float:
    """The same for a click that leads to another page."""
    page.evaluate("(ms) => bench.rest(ms)", REST_MS)
    page.evaluate("() => bench.arm({})")
    with page.expect_navigation(wait_until="commit"):
        link.click(no_wait_after=True)
    painted(page)
    return page.evaluate("performance.timeOrigin + bench.painted - Number(sessionStorage.getItem('began'))")


def filter_by(page: Page, key: str, words: str = "") -> float:
    """Choose an account status; empty shows all."""
    return timed(page, lambda: page.select_option("#field-filter-status", key), status=words)


def next_page(page: Page) -> float:
    """Turn one page on."""
    return timed(page, page.locator(".pager a", has_text="Next").click)


def previous_page(page: Page) -> float:
    """Turn one page back."""
    return timed(page, page.locator(".pager a", has_text="Previous").click)


def sort_by(page: Page, column: int) -> float:
    """Click the head of a column, counted from 0."""
    return timed(page, page.locator("a.sort").nth(column).click)


def search(page: Page, words: str) -> float:
    """Type part of a name; includes the pause that the page waits for more letters."""
    page.focus("#search")
    return timed(page, lambda: page.keyboard.insert_text(words), text=words)


def search_all(page: Page) -> float:
    """Empty the search."""
    return timed(page, lambda: page.fill("#search", ""))
