"""The migrations and the models say the same, on every database that is supported."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlmodel import SQLModel

import portal_app.models  # noqa: F401
from portal_app import db, migrations
from tests.stores import BOTH


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, data_dir: Path) -> Engine:
    if request.param == "sqlite":
        return db.make_engine(f"sqlite:///{data_dir / 'empty.db'}")
    return db.make_engine(request.getfixturevalue("postgres_url"))


def drift(target: Engine) -> list:
    def include(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
        return not (kind in ("table", "index") and str(name).startswith("account_search"))

    with target.connect() as connection:
        options = {"compare_type": True, "include_object": include}
        return compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)


def test_upgrade_from_empty_leaves_no_drift(empty: Engine) -> None:
    migrations.upgrade(empty)
    assert drift(empty) == []


def test_a_model_without_a_migration_is_noticed(empty: Engine) -> None:
    migrations.upgrade(empty)
    with empty.begin() as connection:
        connection.exec_driver_sql("DROP TABLE idempotency_key")
    assert drift(empty) != []


def test_processes_that_start_together_upgrade_once(empty: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrations.upgrade(empty), range(4)))
    assert "account" in inspect(empty).get_table_names()
    with empty.connect() as connection:
        assert migrations.is_current(connection)


def test_the_files_are_read_as_alembic_reads_them() -> None:
    scripts = ScriptDirectory(str(migrations.ROOT / "alembic"))
    assert migrations.newest() == set(scripts.get_heads())
    assert migrations.known() == {one.revision: one.down_revision or "" for one in scripts.walk_revisions()}
