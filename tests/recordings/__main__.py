"""`python -m tests.recordings [name …]`: makes the recordings and pictures of the courses, all or those that are named.

A demo of its own runs on a day of its own, so the pictures of two runs show the same.
"""

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from portal_app import build
from portal_app.build import ROOT
from tests.e2e import servers
from tests.e2e.conftest import ARGUMENTS, CHROMIUMS
from tests.e2e.people import ADMIN, sign_in
from tests.e2e.servers import Portal
from tests.recordings import film
from tests.recordings.scenes import PICTURES, SCENES, Scene

# The day of all pictures.
DAY = date(2026, 9, 15)
COURSES = Path(os.environ.get("RECORDINGS_TO") or ROOT / "content" / "courses")
PATIENCE_MS = 90_000


def main(wanted: list[str]) -> None:
    build.ensure_built()
    # The demo is made by the start itself.
    servers.READY_SECONDS = 600
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        portal = Portal({"PORTAL_DATA_DIR": place, "PORTAL_DATABASE_URL": ""})
        days = (DAY - datetime.now(UTC).date()).days
        portal.settings = {"PORTAL_CLOCK_OFFSET_DAYS": str(days)}
        path = next(found for name in CHROMIUMS if (found := shutil.which(name)))
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            portal.start()
            page = _signed_in(browser, portal.address)
            chosen = {name: scene for name, scene in SCENES.items() if name in (wanted or SCENES)}
            failed = [name for name, scene in chosen.items() if not _recorded(page, _account(portal), name, scene)]
            for name in PICTURES.keys() & set(wanted or PICTURES):
                _pictured(page, name, *PICTURES[name])
        finally:
            browser.close()
            portal.stop()
    if failed:
        raise SystemExit(f"Not made: {', '.join(failed)}")


def _signed_in(browser: Browser, address: str) -> Page:
    size = {"width": film.WIDTH, "height": film.HEIGHT}
    # What waits for the page is a script that its policy would not let run.
    given = {
        "bypass_csp": True,
        "viewport": size,
        "reduced_motion": "reduce",
        "color_scheme": "light",
        "locale": "en-GB",
    }
    context = browser.new_context(base_url=address, **given)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/login")
    sign_in(page, ADMIN)
    page.wait_for_url(lambda url: "login" not in url)
    return page


def _pictured(page: Page, name: str, path: str, heading: str) -> None:
    page.goto(path)
    page.get_by_role("heading", name=heading).first.wait_for()
    film.picture(page, COURSES / f"{name}.webp")


def _account(portal: Portal) -> int:
    """The account with the task that really runs."""
    with closing(sqlite3.connect(portal.data_dir / "portal.db")) as database:
        (found,) = database.execute("SELECT account_id FROM backup_task WHERE name = 'Office files'").fetchone()
    return found


def _recorded(page: Page, account: int, name: str, scene: Scene) -> bool:
    """Make one; False when something on its way is not there."""
    made = film.Film(page, account)
    try:
        scene(made)
    except PlaywrightError as fault:
        print(f"{name}: {fault}", flush=True)
        return False
    target = COURSES / f"{name}.webm"
    target.parent.mkdir(parents=True, exist_ok=True)
    film.write(made, target)
    print(f"{name}: {made.seconds:.0f} s, {target.stat().st_size // 1024} kB", flush=True)
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
