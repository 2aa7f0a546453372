"""The cast, and a server of its own for the tests that speak to the raw socket."""

from collections.abc import Iterator

import pytest

from portal_app.auth import limiter
from tests.cast import cast
from tests.security.served import Served, serve
from tests.stores import Template

__all__ = ["cast", "served"]


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> Iterator[None]:
    limiter.reset_limits()
    yield
    limiter.reset_limits()


@pytest.fixture(scope="module")
def served(migrated: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server process with the cast in its own database."""
    with serve(migrated, tmp_path_factory.mktemp("served")) as made:
        yield made
