"""The store that the daily work runs over, on each database that is supported."""

import shutil
from pathlib import Path

import pytest

from portal_app import db, migrations
from portal_app.jobs import cycle
from portal_app.settings import reset_settings


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "PAUSE_SECONDS", 0)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, data_dir: Path, migrated: Path) -> dict[str, str]:
    """A migrated database; the environment by which another process reaches it."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_store")
    shutil.copy(migrated, data_dir / "portal.db")
    return {"PORTAL_DATA_DIR": str(data_dir), "PORTAL_DATABASE_URL": ""}


@pytest.fixture
def postgres_store(data_dir: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The same in PostgreSQL, for what only row locks can show."""
    monkeypatch.setenv("PORTAL_DATABASE_URL", postgres_url)
    reset_settings()
    db.reset_engine()
    migrations.upgrade()
    return {"PORTAL_DATA_DIR": str(data_dir), "PORTAL_DATABASE_URL": postgres_url}
