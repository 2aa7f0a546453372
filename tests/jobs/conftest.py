"""The store that the daily work runs over, on each database that is supported."""

import shutil
from pathlib import Path

import pytest

from portal_app.jobs import cycle


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
def postgres_store(data_dir: Path, postgres: str) -> dict[str, str]:
    """The same in PostgreSQL, for what only row locks can show."""
    return {"PORTAL_DATA_DIR": str(data_dir), "PORTAL_DATABASE_URL": postgres}
