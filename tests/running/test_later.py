"""What few processes need is not in the memory of all."""

import subprocess
import sys

import pytest

from portal_app.later import Later
from tests.bench import data

SELDOM = {"alembic", "facturx", "granian", "lxml", "obstore", "pypdf", "stripe", "typst", "webauthn"}
LOADED = "import sys, portal_app.portal_app as portal; portal.app(); print(*sys.modules)"


def test_a_server_that_has_started_has_not_loaded_what_it_seldom_needs() -> None:
    settings = data.environment() | {"__REFLEX_SKIP_COMPILE": "true"}
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, cwd=data.ROOT, env=settings, check=True, timeout=120, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "reflex" in loaded
    assert not SELDOM & loaded


def test_a_module_is_loaded_by_its_first_use() -> None:
    sys.modules.pop("this", None)
    later = Later("this")
    assert "this" not in sys.modules
    assert later.c == 97
    assert "this" in sys.modules


def test_a_package_that_is_missing_is_told_of_at_the_start() -> None:
    with pytest.raises(ModuleNotFoundError):
        Later("no_such_package.of_parts")
