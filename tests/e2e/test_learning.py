"""The Learning Hub in a browser: find a course, watch, stop, go on, complete, take the certificate home."""

import io
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.e2e.people import Company, People

PLAY_FOR_TWO_SECONDS = """video => new Promise((done, fail) => {
  video.addEventListener("timeupdate", () => { if (video.currentTime > 2) { video.pause(); done(); } });
  video.muted = true;
  video.play().catch(fail);
})"""
BEGINS_AT = """video => new Promise(done => {
  const told = () => done(video.currentTime);
  if (video.readyState >= 2) told(); else video.addEventListener("loadeddata", told, { once: true });
})"""


def hub(people: People, email: str, path: str = "/learning") -> Page:
    page = people.open(email, path)
    expect(page.get_by_role("heading", name="Learning Hub", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="First steps", exact=True)).to_be_visible()
    return page


def figure(page: Page, label: str) -> Any:
    return page.get_by_role("region", name="Progress").locator(".figure").filter(has_text=label)


def complete(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    page.get_by_role("button", name="Mark as completed").click()
    expect(page.get_by_role("button", name="Mark as completed")).to_be_hidden()


def test_a_course_from_the_search_to_the_certificate(people: People, company: Company) -> None:
    page = hub(people, company.email)
    page.get_by_label("Search courses").fill("recovery codes")
    expect(page.get_by_role("link", name="First steps", exact=True)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/learning/?\?search=recovery"))
    page.reload()
    expect(page.get_by_role("link", name="Two-factor authentication")).to_be_visible()
    expect(page.get_by_label("Search courses")).to_have_value("recovery codes")
    page.get_by_role("button", name="Clear", exact=True).click()

    page.get_by_role("link", name="Start First steps").click()
    complete(page, "Signing in")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Learning Hub").click()
    expect(figure(page, "Courses in progress")).to_contain_text("1")
    go_on = page.get_by_role("region", name="Go on where you stopped")
    expect(go_on).to_contain_text("1 of 4 lessons completed")
    go_on.get_by_role("link", name="Resume First steps").click()
    for title in ("Finding your way", "Reading the dashboard", "Getting help"):
        complete(page, title)
        if title != "Getting help":
            page.get_by_role("link", name="Next").click()

    expect(page.get_by_role("status").filter(has_text="Your certificate is ready")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download certificate").click()
    text = PdfReader(io.BytesIO(Path(download.value.path()).read_bytes())).pages[0].extract_text()
    assert "First steps" in text
    page.get_by_role("link", name="First steps", exact=True).click()
    expect(page.get_by_text("4 of 4 lessons completed")).to_be_visible()
    expect(page.get_by_role("link", name="Download certificate")).to_be_visible()


def test_a_video_goes_on_where_it_was_left(people: People, company: Company) -> None:
    page = people.open(company.email, "/learning/first-steps/reading-the-dashboard")
    video = page.get_by_label("A walk through the dashboard")
    video.evaluate(PLAY_FOR_TWO_SECONDS)
    expect(page.get_by_text("goes on at 0:0")).to_be_visible()
    page.reload()
    expect(page.get_by_text("goes on at 0:0")).to_be_visible()
    assert video.evaluate(BEGINS_AT) >= 1
    assert video.evaluate("video => video.textTracks[0].label") == "English"
    page.get_by_text("Transcript").click()
    expect(page.get_by_text("The dashboard shows how all your customers are.")).to_be_visible()
