"""Builds the pages once, and again only when something they are made of has changed."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / ".web"
CLIENT = WEB / "build" / "client"
STAMP = CLIENT / ".made-of"
SOURCES = ("portal_app", "assets", "content", "reflex.lock/package-lock.json", "rxconfig.py", "requirements.txt")
# The build bakes one address in; the page's own is right on every port and behind every proxy.
BAKED = ("`ws://localhost:3000", "`http://localhost:3000")
OWN = ("location.origin.replace(/^http/,`ws`)+`", "location.origin+`")


def ensure_built() -> bool:
    """Build the pages unless they are there and up to date. True when it built."""
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return False
    print("Building the pages (about half a minute, only after a change) …", flush=True)
    shutil.rmtree(CLIENT, ignore_errors=True)
    environment = os.environ | {"REFLEX_USE_NPM": "1", "REFLEX_TELEMETRY_ENABLED": "false"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = [sys.executable, "-m", "reflex", "export", "--no-zip", "--frontend-only", "--env", "prod"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode or not (CLIENT / "index.html").exists():
        raise SystemExit("The pages could not be built; the lines above say why.")
    _use_own_address()
    STAMP.write_text(wanted)
    return True


def fingerprint() -> str:
    """A digest of all that the pages are made of."""
    total = hashlib.sha256()
    for name in SOURCES:
        place = ROOT / name
        files = sorted(p for p in place.rglob("*") if p.is_file() and p.suffix != ".pyc") if place.is_dir() else [place]
        for file in files:
            if file.exists():
                total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    total.update(os.environ.get("PORTAL_BRAND_NAME", "").encode() + os.environ.get("PORTAL_BRAND_ACCENT", "").encode())
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
