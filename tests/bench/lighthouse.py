"""Lighthouse's scores of pages, as a desktop and as a phone sees them; of who is signed in."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser
from sqlmodel import Session, select

from portal_app import db
from portal_app.billing.profiles import profile_to_change
from portal_app.models import Account, BillingMethod, Partner
from tests.bench import browser as at
from tests.bench import data, raw
from tests.bench.servers import PORTAL, Server, free_port, start

PACKAGE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility")
SIGN_IN = "sign-in"
FORMS: dict[str, list[str]] = {"desktop": ["--preset=desktop"], "mobile": []}
Scores = dict[str, dict[str, list[float]]]  # page and form -> category -> scores of 100


def measure(browser: Browser, accounts: int, times: int, folder: Path) -> Scores:
    """Each page so often in each form, in turn."""
    scores: Scores = defaultdict(lambda: defaultdict(list))
    with start(PORTAL, accounts, folder / "portal") as server:
        pages, cookies = _pages(server), at.sign_in(browser, server)["cookies"]
        for number, (name, form) in enumerate(list(product(pages, FORMS)) * times):
            with _port(browser, folder / f"profile-{number}", [] if name == SIGN_IN else cookies) as port:
                for category, score in _scores(server.url + pages[name], port, FORMS[form]).items():
                    scores[f"{name}, {form}"][category].append(score)
    return scores


def _pages(server: Server) -> dict[str, str]:
    raw.use(server.folder)
    db.write(_choose_method)
    of_partner = select(Account.id).join(Partner).where(Partner.code == "BENCH001").order_by("name_key").limit(1)
    account = db.read(lambda session: session.exec(of_partner).one())
    addresses = {"dashboard": "/", "an account": f"/accounts/{account}", "billing": "/billing/status"}
    return {SIGN_IN: "/login"} | addresses | {"learning": "/learning"}


def _choose_method(session: Session) -> None:
    """Each partner is asked once, before its first bill; the generated one never was."""
    partner = session.exec(select(Partner).where(Partner.code == "BENCH001")).one()
    profile_to_change(session, partner.id or 0).method = BillingMethod.INVOICE


@contextmanager
def _port(browser: Browser, profile: Path, cookies: list[Any]) -> Iterator[int]:
    """Where a browser of its own, with these cookies, can be driven."""
    port = free_port()
    options = [*at.ARGUMENTS, f"--remote-debugging-port={port}"]
    launch = browser.browser_type.launch_persistent_context
    with launch(profile, executable_path=at.CHROMIUM, args=options, no_viewport=True) as context:
        context.add_cookies(cookies)
        yield port


def _scores(url: str, port: int, options: list[str]) -> dict[str, float]:
    """One run's scores."""
    program = _folder() / "node_modules" / "lighthouse" / "cli" / "index.js"
    asked = [f"--port={port}", "--output=json", "--quiet", "--disable-storage-reset", *options]
    asked.append(f"--only-categories={','.join(CATEGORIES)}")
    done = subprocess.run([_tool("node"), str(program), url, *asked], check=True, capture_output=True, timeout=180)
    told = json.loads(done.stdout)
    if told["finalDisplayedUrl"] != url:
        raise RuntimeError(f"{url} has led to {told['finalDisplayedUrl']}")
    return {name: 100 * (told["categories"][name]["score"] or 0) for name in CATEGORIES}


def _folder() -> Path:
    """Where Lighthouse is; installed when it isn't yet."""
    folder = data.cache() / PACKAGE.replace("@", "-")
    if not (folder / "node_modules" / "lighthouse").exists():
        folder.mkdir(exist_ok=True)
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        command = [_tool("npm"), "install", PACKAGE, "--no-audit", "--no-fund", "--silent", "--prefix", str(folder)]
        subprocess.run(command, cwd=folder, check=True, timeout=300, env=environment)
    return folder


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)
