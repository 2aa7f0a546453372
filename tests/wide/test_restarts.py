"""Processes are replaced one by one, or die, while people click. Real processes, with Redis."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from portal_app.models import NotificationRecipient
from tests.backups.portals import wait_for
from tests.cast import cookie_of
from tests.security.served import Served, serve
from tests.stores import Template
from tests.wide.pages import Page

SECONDS = 120


@pytest.fixture(scope="module")
def served(migrated: Template, tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("wide")
    with serve(migrated, folder, PORTAL_REDIS_URL=redis_server, PORTAL_PROCESSES="2") as found:
        wait_for(lambda: len(_processes(found)) == 2, SECONDS)
        yield found


def _processes(served: Served) -> set[int]:
    """The server processes that run now."""
    found = Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split()
    return {int(pid) for pid in found if b"portal_app.listening" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def _names(session: Session) -> list[str]:
    return list(session.exec(select(NotificationRecipient.name).order_by(col(NotificationRecipient.id))))


def _pages(served: Served, *names: str) -> list[Page]:
    cookie = served.write(lambda _session: cookie_of(served.cast.alice))
    return [Page(served, cookie, name) for name in names]


def _check(served: Served, pages: list[Page]) -> None:
    """Each click was done once, and in the order in which they were clicked."""
    for page in pages:
        page.socket.settle()
    names = served.write(_names)
    for page in pages:
        assert [name for name in names if name in page.clicked] == page.clicked
        page.socket.close()


def test_no_click_is_lost_when_all_processes_are_replaced(served: Served) -> None:
    pages, before = _pages(served, "One", "Two", "Three", "Four"), _processes(served)
    for page in pages:
        page.click()
    os.kill(served.pid, signal.SIGHUP)

    def move_who_is_told() -> bool:
        for page in pages:
            if page.is_told_to_go:
                # On the way before the page has read the word.
                page.click()
                page.click()
                page.move()
                page.click()
        return len(_processes(served)) == 2 and not before & _processes(served)

    wait_for(move_who_is_told, SECONDS)
    assert all(page.moved for page in pages)
    _check(served, pages)


def test_pages_of_a_process_that_was_killed_go_on_with_another(served: Served) -> None:
    pages = _pages(served, "Five", "Six", "Seven")
    for page in pages:
        page.click()
        page.socket.settle()
    for pid in _processes(served):
        os.kill(pid, signal.SIGKILL)
        for page in [page for page in pages if not page.hears()]:
            page.move()
            page.click()
        wait_for(lambda: len(_processes(served)) == 2, SECONDS)
        if any(page.moved for page in pages):
            break
    assert any(page.moved for page in pages)
    _check(served, pages)
