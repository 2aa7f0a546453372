"""The journeys' browser and server: pages built once, one server, one sign-in for each person."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from portal_app import build, clock, db
from tests import stores
from tests.demo.conftest import make_demo
from tests.e2e.people import PATIENCE_MS, Company, People, found
from tests.e2e.servers import Portal
from tests.stores import Template

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    # The portal is all there is: a page that asks any other host fails its test.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in item.nodeid:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The built pages."""
    with (tmp_path_factory.getbasetemp().parent / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build.ensure_built()


@pytest.fixture(scope="session")
def demo_of_now(migrated: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A database with the demo as it is made today."""
    return migrated.of(make_demo(migrated, tmp_path_factory.mktemp("demo-of-now"), clock.now()))


@pytest.fixture(scope="package")
def portal(pages: None, demo_of_now: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The server of all journeys. What a journey changes belongs to a partner of its own (`company`)."""
    folder = tmp_path_factory.mktemp("portal")
    server = Portal(demo_of_now.copy(folder))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_portal(pages: None, demo_of_now: Template, tmp_path: Path) -> Iterator[Portal]:
    """A server for one test, which may stop it."""
    folder = tmp_path / "own"
    folder.mkdir()
    server = Portal(demo_of_now.copy(folder))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium. It ends with the package: its event loop would be in other tests' way."""
    path = next((found for name in CHROMIUMS if (found := shutil.which(name))), None)
    assert path, f"None of {', '.join(CHROMIUMS)} is on the PATH."
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


@pytest.fixture(scope="package")
def signed_in() -> dict[str, str]:
    """The session tokens of the demo's people, each signed in once through the page."""
    return {}


@pytest.fixture
def people(browser: Browser, portal: Portal, signed_in: dict[str, str]) -> Iterator[People]:
    """Opens the portal in a browser as anybody; fails the test on faults that no test expected."""
    visitors = People(browser, portal.address, signed_in)
    yield visitors
    visitors.leave()


@pytest.fixture
def company(data_dir: Path) -> Company:
    """A partner of this test alone, without accounts."""
    return db.write(found)


@pytest.fixture(autouse=True)
def data_dir(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The running server's data folder: what a test does through portal_app.db, the open pages see."""
    stores.enter(portal.store, monkeypatch)
    yield portal.data_dir
    stores.forget()
