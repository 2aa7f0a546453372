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
    """The folder of a database with so many accounts of the benchmark partner; made when missing or outdated."""
    folder = cache() / f"accounts-{accounts}-{made_of()}"
    if (folder / "complete").exists():
        return folder
    for old in cache().glob(f"accounts-{accounts}-*"):
        shutil.rmtree(old)
    print(f"Making {accounts:,} accounts …", file=sys.stderr, flush=True)
    command = [sys.executable, "-c", MAKE, str(accounts)]
    subprocess.run(command, cwd=ROOT, env=environment(data_dir=folder, demo=1), check=True, timeout=900)
    (folder / "complete").touch()
    return folder


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
    demo = ROOT / "portal_app" / "demo"
    sources = [*sorted((ROOT / "alembic" / "versions").glob("*.py")), demo / "generator.py", demo / "bulk_entities.py"]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in sources)).hexdigest()[:10]
