"""The demo of one fixed moment, made once and copied for every test."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal_app import clock
from portal_app.demo.service import ensure_demo
from tests import stores
from tests.stores import Environment, Template

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_demo(template: Template, folder: Path, now: datetime) -> Environment:
    """A database with the demo that was made at this moment, in a copy of the template."""
    with pytest.MonkeyPatch.context() as patch:
        made = stores.enter(template.copy(folder), patch)
        patch.setattr(clock, "now", lambda: now)
        assert ensure_demo()
    stores.forget()
    return made


@pytest.fixture(scope="session")
def demo_made(migrated: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return migrated.of(make_demo(migrated, tmp_path_factory.mktemp("demo"), NOW))


@pytest.fixture
def demo(demo_made: Template, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The test's own copy of the demo, reached through portal_app.db, at the moment it was made."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    yield from stores.within(demo_made, data_dir, monkeypatch)
