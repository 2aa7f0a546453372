"""Imports run downward only (house.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT, files, imported, imports, module_of, tree

# A file's place from its name alone, so that a new area needs no entry here. The lower may not import the higher.
RANKS = {"rows": 1, "repository": 2, "service": 3, "state": 4, "components": 5, "page": 6}
ABOVE_REFLEX = ("guard", "state", "components", "page")
WITH_REFLEX = {
    "portal_app.lean_pages",
    "portal_app.portal_app",
    "portal_app.shell",
    "portal_app.sign_in",
    "portal_app.ui",
}


def _role(name: str) -> str:
    """ "new_page" and "page" are both a page."""
    return name.rpartition(".")[2].rpartition("_")[2]


def _may_import_reflex(module: str) -> bool:
    package = ".".join(module.split(".")[:2])
    return package in WITH_REFLEX or _role(module) in ABOVE_REFLEX


def _faults(file: Path) -> list[str]:
    module = module_of(file)
    found = []
    for name in imports(file):
        if name.split(".")[0].startswith("reflex") and not _may_import_reflex(module):
            found.append(f"{module} imports {name}")
        if not name.startswith("portal_app."):
            continue
        if RANKS.get(_role(name), 0) > RANKS.get(_role(module), 9):
            found.append(f"{module} imports {name}, which lies above it")
        foreign = module.split(".")[1] != name.split(".")[1]
        if foreign and _role(name) in {"page", "components"} and module != "portal_app.portal_app":
            found.append(f"{module} imports {name} of another area")
        if foreign and _role(name) == "state" and not name.startswith(("portal_app.shell.", "portal_app.auth.")):
            found.append(f"{module} imports {name} of another area")
    return found


@pytest.mark.parametrize("file", files(), ids=module_of)
def test_a_file_imports_only_what_lies_below_it(file: Path) -> None:
    assert _faults(file) == []


@pytest.mark.parametrize("file", files(), ids=module_of)
def test_no_import_inside_a_function(file: Path) -> None:
    functions = [n for n in ast.walk(tree(file)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    assert [imported(node) for f in functions for node in ast.walk(f) if imported(node)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("accounts/service.py", "import reflex"),
        ("accounts/service.py", "from portal_app.dashboard.state import DashboardState"),
        ("accounts/repository.py", "from portal_app.accounts import service"),
        ("backups/state.py", "from portal_app.dashboard.page import dashboard"),
        ("models/account.py", "from reflex_base.event import Event"),
    ],
)
def test_an_import_upward_is_found(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.architecture.source.tree", lambda _file: ast.parse(text))
    assert _faults(PACKAGE / name)


def test_import_linters_contracts_hold() -> None:
    """They see indirect imports too."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
