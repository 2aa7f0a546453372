"""What all tests share: a database of its own per test, copied from one that was migrated once."""

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal_app import db, migrations
from portal_app.settings import reset_settings

pytest_plugins = ["tests.postgres", "tests.redis"]


def pytest_configure() -> None:
    # What is collected stays to the end: looking for garbage in it took half of the collection, a fifth of the tests.
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest shape and no rows."""
    path = tmp_path_factory.mktemp("migrated") / "portal.db"
    target = db.make_engine(f"sqlite:///{path}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTAL_DATA_DIR", str(path.parent))
        reset_settings()
        migrations.upgrade(target)
    with target.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    target.dispose()
    reset_settings()
    return path


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own for every test: no test touches the developer's."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("PORTAL_DATA_DIR", str(folder))
    monkeypatch.setenv("PORTAL_DATABASE_URL", "")
    reset_settings()
    db.reset_engine()
    yield folder
    db.reset_engine()
    reset_settings()


@pytest.fixture
def database(data_dir: Path, migrated: Path) -> Path:
    """The test's own migrated SQLite database, reached through portal_app.db."""
    shutil.copy(migrated, data_dir / "portal.db")
    return data_dir / "portal.db"
