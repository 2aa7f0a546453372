"""The portal's source as trees, for tests that hold the house's rules."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "portal_app"


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports; empty when it is no import."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return []


def imports(file: Path) -> Iterator[str]:
    """Every module that the file imports, the portal's own down to the file."""
    for node in ast.walk(tree(file)):
        for name in imported(node):
            below = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            yield from [f"{name}.{one}" for one in below if _is_module(ROOT.joinpath(*name.split("."), one))] or [name]


def _is_module(place: Path) -> bool:
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()
