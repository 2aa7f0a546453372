"""The demo of one fixed moment, made once and copied for every test."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal_app import clock, db
from portal_app.demo.service import ensure_demo
from portal_app.settings import reset_settings

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_demo(migrated: Path, folder: Path, now: datetime) -> Path:
    """A database with the demo that was made at this moment."""
    path = folder / "portal.db"
    shutil.copy(migrated, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTAL_DATA_DIR", str(folder))
        patch.setenv("PORTAL_DATABASE_URL", "")
        patch.setattr(clock, "now", lambda: now)
        reset_settings()
        db.reset_engine()
        assert ensure_demo()
        db.reset_engine()
    reset_settings()
    return path


@pytest.fixture(scope="session")
def demo_made(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(migrated, tmp_path_factory.mktemp("demo"), NOW)


@pytest.fixture
def demo(demo_made: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The test's own copy of the demo, reached through portal_app.db, at the moment it was made."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    shutil.copy(demo_made, data_dir / "portal.db")
    yield data_dir / "portal.db"
    db.reset_engine()
