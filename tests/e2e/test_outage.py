"""Redis goes away and comes back empty, under a page that is open in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from portal_app.shell.outages import SENTENCE
from tests.e2e.people import ADMIN, People, ready, sign_in
from tests.e2e.servers import Portal
from tests.restartable import Redis
from tests.stores import Template


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path / "redis")
    yield server
    server.stop()


@pytest.fixture
def with_redis(redis: Redis, pages: None, demo_of_now: Template, tmp_path: Path) -> Iterator[Portal]:
    folder = tmp_path / "portal"
    folder.mkdir()
    server = Portal(demo_of_now.copy(folder))
    server.settings["PORTAL_REDIS_URL"] = redis.url
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.mark.long
def test_a_redis_that_starts_again_is_told_and_the_page_mends_itself(
    browser: Browser, with_redis: Portal, redis: Redis
) -> None:
    people = People(browser, with_redis.address, {})
    people.expect_fault("WebSocket|websocket")
    page = people.open(path="/login")
    sign_in(page, ADMIN)
    ready(page)
    page.evaluate("window.stillTheSamePage = true")
    overdue = page.get_by_role("region", name="Billing Status").get_by_role("link", name="Overdue")
    redis.stop()
    overdue.click()
    expect(page.get_by_text(SENTENCE)).to_be_visible()
    redis.start()
    # The sentence goes with the state of before: the page has loaded anew.
    expect(page.get_by_text(SENTENCE)).to_have_count(0)
    ready(page)
    overdue.click()
    expect(page.get_by_role("heading", name="Total Accounts")).to_have_text(re.compile("^8 of 60"))
    assert page.evaluate("window.stillTheSamePage")
    people.leave()
