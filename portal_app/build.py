"""Builds the pages once, and again only when something they are made of has changed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from portal_app.lean_pages import styled
from portal_app.paint_first import paint_first

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / ".web"
CLIENT = WEB / "build" / "client"
STAMP = CLIENT / ".made-of"
SOURCES = ("portal_app", "assets", "content/help", "reflex.lock/package-lock.json", "rxconfig.py", "requirements.txt")
# The build bakes one address in; the page's own is right on every port and behind every proxy.
BAKED = ("`ws://localhost:3000", "`http://localhost:3000")
OWN = ("location.origin.replace(/^http/,`ws`)+`", "location.origin+`")


def ensure_built() -> bool:
    """Build the pages unless they are there and up to date. True when it built."""
    wanted = fingerprint()
    if _made_of() == wanted:
        return False
    WEB.mkdir(exist_ok=True)
    with (WEB / "portal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _made_of() != wanted and _build(wanted)


def _build(wanted: str) -> bool:
    print("Building the pages (about half a minute, only after a change) …", flush=True)
    shutil.rmtree(CLIENT, ignore_errors=True)
    with _lock_kept():
        command = [sys.executable, "-m", "reflex", "export", "--no-zip", "--frontend-only", "--env", "prod"]
        done = subprocess.run(command, cwd=ROOT, env=_environment(), check=False)
    if done.returncode or not (CLIENT / "index.html").exists():
        raise SystemExit("The pages could not be built; the lines above say why.")
    if found := styled(WEB):
        raise SystemExit(f"An element has a style of its own instead of a class: see {found[0]}.")
    _use_own_address()
    paint_first(CLIENT)
    STAMP.write_text(wanted)
    return True


@cache
def stamp() -> str:
    """The digest of what the pages were made of that this process serves; empty when there are none."""
    return _made_of()


def _made_of() -> str:
    return STAMP.read_text() if STAMP.exists() else ""


def _environment() -> dict[str, str]:
    tools = Path(sys.executable).parent
    environment = os.environ | {"REFLEX_USE_NPM": "1", "REFLEX_TELEMETRY_ENABLED": "false"}
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    # Unless it is told, Reflex looks for a registry by itself, at hosts of its own choice.
    asked = subprocess.run([tools / "npm", "config", "get", "registry"], capture_output=True, text=True, check=True)
    return environment | {"NPM_CONFIG_REGISTRY": asked.stdout.strip()}


@contextmanager
def _lock_kept() -> Iterator[None]:
    """The build writes where it got each package from into the lock: that is this machine's affair."""
    kept = {path: path.read_bytes() for path in (ROOT / "reflex.lock").iterdir()}
    try:
        yield
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def fingerprint() -> str:
    """A digest of all that the pages are made of."""
    total = hashlib.sha256()
    for name in SOURCES:
        place = ROOT / name
        files = sorted(p for p in place.rglob("*") if p.is_file() and p.suffix != ".pyc") if place.is_dir() else [place]
        for file in files:
            if file.exists():
                total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def _use_own_address() -> None:
    found = list(CLIENT.glob("assets/reflex-env-*.js"))
    for file in found:
        text = file.read_text()
        for baked, own in zip(BAKED, OWN, strict=True):
            text = text.replace(baked, own)
        file.write_text(text)
        # The compressed copies hold the old text; this file is too small to miss them.
        for copy in (".js.gz", ".js.br"):
            file.with_suffix(copy).unlink(missing_ok=True)
    if not found or "localhost" in found[0].read_text():
        raise SystemExit("The build has changed its shape: the server's address was not found in it.")
