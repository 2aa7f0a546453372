"""Commands run in this process, with a password on standard input and no demo people in the way."""

import io
from collections.abc import Callable, Iterator

import pytest

from portal_app import db
from portal_app.cli import main

PASSWORD = "a quiet harbour at dawn"
Run = Callable[..., int]


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
