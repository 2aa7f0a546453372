"""Two brands, each shown in pages, mails and documents; of the default one nothing is left in the other."""

import asyncio
import json
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html import unescape
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from portal_app import colours
from portal_app.brand import brand
from portal_app.brand_words import PLACES, SOURCE
from portal_app.build import ROOT
from portal_app.mail.letter import Letter
from portal_app.mail.render import html_of, message_of
from portal_app.models import OutboxMail
from portal_app.shell import branding, built, headers
from tests.brand.conftest import DEFAULT_WORDS

PAGE = (
    "<!doctype html><html><head><title>Sign in · __BRAND_NAME__</title></head><body><h1>Sign in to the"
    ' <!-- -->__BRAND_PRODUCT__</h1><a href="mailto:__BRAND_SUPPORT__">__BRAND_SUPPORT__</a>'
    '<a href="__BRAND_PRIVACY__">Privacy</a><a href="__BRAND_TERMS__">Terms</a></body></html>'
)
LETTER = Letter("Your access", ("Hello Ann,",), action=("Open it", "https://fjord.test/x"))


def _said(page: str) -> dict[str, str]:
    return json.loads(re.search(r"<script>window\.brand=(.*?)</script>", page)[1])


def _mail() -> Any:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    mail = OutboxMail(recipient="ann@people.test", subject="Your access", queued_at=when, message_id="<1@fjord.test>")
    content, _, _ = message_of(LETTER, mail, [("bill.pdf", b"%PDF")])
    again, _, _ = message_of(LETTER, mail, [("bill.pdf", b"%PDF")])
    assert content == again
    return message_from_bytes(content, policy=default)


def test_no_page_is_built_with_a_brand() -> None:
    """Its words come from `ui.brand`: they are filled in as a page is sent."""
    pages = [file for file in (ROOT / "portal_app").rglob("*.py") if re.search("page|component|layout", file.name)]
    said = re.compile(r"brand\(\)|settings\(\)\.(brand|support|chat|privacy|terms|security)")
    assert len(pages) > 40
    assert [file.name for file in pages if said.search(file.read_text())] == []


def test_the_default_brand_stands_in_a_page() -> None:
    page = branding.branded(PAGE)
    assert "<title>Sign in · Keelson Backup</title>" in page
    assert "--accent-solid:#2f5fd0;" in page
    assert 'href="">Privacy' in page
    assert _said(page)["name"] == "Keelson Backup"


@pytest.mark.usefixtures("other")
def test_another_brand_stands_in_a_page_and_nothing_of_the_default_one() -> None:
    page = branding.branded(PAGE)
    assert "<title>Sign in · Fjord &amp; &lt;Søn&gt;</title>" in page
    assert "Sign in to the <!-- -->Reseller Desk" in page
    assert 'href="mailto:help@fjord.test"' in page
    assert 'href="https://fjord.test/privacy"' in page
    light, dark = colours.light("#ffdd00"), colours.dark("#ffdd00")
    assert f"--accent-text:{light.text};" in page
    assert f"html.dark{{--accent-solid:{dark.solid};" in page
    assert not [word for word in (*DEFAULT_WORDS, *PLACES.values()) if word in page]
    # What the scripts draw is what the page says, or React would draw it anew.
    assert _said(page)["name"] == "Fjord & <Søn>" == unescape(re.search("· (.*?)</title>", page)[1])
    assert _said(page).keys() == PLACES.keys() == json.loads(SOURCE.split("??")[1].strip(" ;\n")).keys()


def test_no_name_ends_the_script_that_says_it(given: Any) -> None:
    given(BRAND_NAME="</script><script>alert(1)//")
    page = branding.branded(PAGE)
    assert page.count("<script>") == 1
    assert _said(page)["name"] == "</script><script>alert(1)//"


@pytest.mark.usefixtures("other")
def test_the_policy_of_a_page_allows_its_brand() -> None:
    page = branding.branded(PAGE)
    (script,) = re.findall(r"<script>(.*?)</script>", page)
    (allowed,) = re.findall(r"script-src 'self' (.*?);", headers.page_policy(page))
    assert allowed == headers._hash(script)


def _get(path: str) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=branding.routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            return await client.get(path)

    return asyncio.run(run())


@pytest.mark.usefixtures("other")
def test_the_logo_is_served_and_nothing_else() -> None:
    address = re.search(r"--logo:url\((.*?)\)", branding.branded(PAGE))[1]
    answer = _get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert 'fill="#123456"' in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert _get("/brand/logo.svg").status_code == 404


def test_a_logo_that_shows_the_name_stands_alone(given: Any, tmp_path: Any) -> None:
    (tmp_path / "wide.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 20"/>')
    assert ".brand-name" not in branding.style_of(brand())
    given(BRAND_LOGO=tmp_path / "wide.svg")
    assert ".brand-name{position:absolute" in branding.style_of(brand())
    assert "--logo-shape:7}" in branding.style_of(brand())


def test_a_mail_of_the_default_brand() -> None:
    mail = _mail()
    assert mail["From"] == "Keelson Backup <support@portal.example>"
    assert "#2f5fd0" in mail.get_body(("html",)).get_content()
    assert [part.get_content_type() for part in mail.walk()].count("image/png") == 0


@pytest.mark.usefixtures("other")
def test_a_mail_of_another_brand() -> None:
    mail = _mail()
    assert mail["From"] == "Fjord Desk <desk@fjord.test>"
    html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))
    assert "Fjord &amp; &lt;Søn&gt;" in html
    assert "background:#ffdd00;color:#000000" in html
    assert "Fjord & <Søn>\r\nhelp@fjord.test" in text
    assert not [word for word in DEFAULT_WORDS if word in html + text + str(mail["From"])]
    (logo,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert f"cid:{logo['Content-ID'].strip('<>')}" in html
    assert logo.get_content().startswith(b"\x89PNG")
    assert [part.get_filename() for part in mail.iter_attachments()] == ["bill.pdf"]


@pytest.mark.usefixtures("other")
def test_the_preview_of_a_mail_needs_nothing_from_elsewhere() -> None:
    assert 'src="data:image/png;base64,' in html_of(LETTER, preview=True)
    assert "cid:" not in html_of(LETTER, preview=True)


@pytest.mark.usefixtures("other")
def test_a_page_that_the_framework_answers_with_is_branded_too(tmp_path: Any) -> None:
    shell = "<!doctype html><html><head></head><body></body></html>"
    (tmp_path / "404.html").write_text(shell)
    told: list[Any] = []

    async def framework(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": shell.encode()})

    async def take(message: Any) -> None:
        told.append(message)

    scope = {"type": "http", "method": "GET", "path": "/nothing", "headers": []}
    asyncio.run(built.BuiltFiles(framework, tmp_path)(scope, None, take))
    assert told[0]["status"] == 404
    assert b"Fjord" in told[1]["body"]
    assert dict(told[0]["headers"])[b"content-length"] == str(len(told[1]["body"])).encode()
