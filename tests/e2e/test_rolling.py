"""The portal is restarted while somebody works: several processes, replaced one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.people import ADMIN, People, ready, sign_in
from tests.e2e.servers import Portal
from tests.stores import Template

DONE = "All processes are new."


@pytest.fixture
def wide_portal(pages: None, demo_of_now: Template, tmp_path: Path, redis_url: str) -> Iterator[Portal]:
    folder = tmp_path / "wide"
    folder.mkdir()
    server = Portal(demo_of_now.copy(folder))
    server.settings = {"PORTAL_REDIS_URL": redis_url, "PORTAL_PROCESSES": "2", "PORTAL_WORKER": "0"}
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.mark.long
def test_no_click_is_lost_and_nothing_is_loaded_again(browser: Browser, wide_portal: Portal) -> None:
    people = People(browser, wide_portal.address, {})
    page = people.open(path="/login")
    sign_in(page, ADMIN)
    ready(page)
    page.evaluate("window.stillTheSamePage = true")
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    boxes, clicks = page.get_by_role("row").get_by_role("checkbox"), 0
    wide_portal.replace_processes()
    while DONE not in wide_portal.log.read_text():
        # The first row's box selects all others.
        boxes.nth(1 + clicks % 20).click()
        clicks += 1
    selected = clicks % 40 if clicks % 40 <= 20 else 40 - clicks % 40
    if selected == 0:
        boxes.nth(1).click()
        selected = 1
    expect(page.get_by_text(f"{selected} selected")).to_be_visible()
    assert opened, "the page's process was not replaced"
    assert page.evaluate("window.stillTheSamePage")
    people.leave()
