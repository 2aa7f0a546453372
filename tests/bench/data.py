"""Databases of any size, made once by the portal's own generator and kept outside the repository."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HTMX = "htmx.org@2.0.6"
EMAIL, PASSWORD = "bench@demo.example", "demo-portal-2026"
MAKE = """
import sys
from portal_app import migrations
from portal_app.demo.generator import generate
from portal_app.demo.service import ensure_demo
migrations.upgrade(); ensure_demo(); print(generate(int(sys.argv[1])))
"""
UPGRADE = "from portal_app import migrations; migrations.upgrade()"
_GENERATOR = [ROOT / "portal_app" / "demo" / name for name in ("generator.py", "bulk_entities.py")]


def cache() -> Path:
    """Where databases and htmx stay between runs: PORTAL_BENCH_DIR."""
    folder = Path(os.environ.get("PORTAL_BENCH_DIR") or Path.home() / ".cache" / "partner-portal-bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environment(**settings: object) -> dict[str, str]:
    """The environment of a portal process: only these settings, nothing of the caller's."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PORTAL_")}
    return inherited | {f"PORTAL_{key.upper()}": str(value) for key, value in settings.items()}


def database(accounts: int) -> Path:
    """The folder of a database with so many accounts of the benchmark partner; made when missing or outdated.

    New migrations are applied to it, as they are to everybody's.
    """
    folder = cache() / f"{accounts}-accounts-{_digest(_GENERATOR)}"
    complete, shape = folder / "complete", _digest(_migrations())
    if not complete.exists():
        for old in cache().glob(f"{accounts}-accounts-*"):
            shutil.rmtree(old)
        print(f"Making {accounts:,} accounts …", file=sys.stderr, flush=True)
        _run(MAKE, folder, str(accounts))
    elif complete.read_text() != shape:
        _run(UPGRADE, folder)
    complete.write_text(shape)
    return folder


def _run(program: str, folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-c", program, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment(data_dir=folder, demo=1), check=True, timeout=900)


def copy_database(accounts: int, to: Path) -> Path:
    """A copy of the database for one server, so that each fills caches of its own."""
    to.mkdir(parents=True)
    return Path(shutil.copy(database(accounts) / "portal.db", to / "portal.db"))


def htmx() -> Path:
    """htmx for the floor's page, from the package index."""
    folder = cache() / HTMX.replace("@", "-")
    script = folder / "package" / "dist" / "htmx.min.js"
    if not script.exists():
        folder.mkdir(exist_ok=True)
        npm = [str(Path(sys.executable).parent / "npm"), "pack", HTMX, "--silent"]
        packed = subprocess.run(npm, cwd=folder, check=True, timeout=120, capture_output=True, text=True)
        shutil.unpack_archive(folder / packed.stdout.split()[-1], folder, format="gztar", filter="data")
    return script


def made_of() -> str:
    """A digest of what decides on the rows: the tables' shape and the generator."""
    return _digest([*_migrations(), *_GENERATOR])


def _migrations() -> list[Path]:
    return sorted((ROOT / "alembic" / "versions").glob("*.py"))


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:10]
