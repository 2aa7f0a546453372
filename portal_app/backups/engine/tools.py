"""Runs restic and rclone: at the lowest priority, with nothing of the portal's environment, stoppable at any time."""

import contextlib
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event
from typing import IO

from portal_app.errors import PortalError
from portal_app.jobs.worker import Canceled
from portal_app.settings import settings

Take = Callable[[bytes], None]
# Names the work that a process belongs to: whoever takes the work over finds by it what is left of the one before.
MARK = "PORTAL_ENGINE_WORK"
_LOOK_SECONDS = 0.5
_GENTLY_SECONDS = 30.0
_LONGEST_LINE = 1 << 20
_NICEST = 19
_PASSED_ON = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")
_OURS = {"TZ": "UTC", "GOMAXPROCS": "1", "GOGC": "50"}

# How long rclone waits for who doesn't answer: while somebody waits for us, and in the night.
HASTY = ("--contimeout", "8s", "--timeout", "10s", "--retries", "1", "--low-level-retries", "1")
PATIENT = ("--contimeout", "30s", "--timeout", "2m", "--retries", "2", "--low-level-retries", "5")


class Missing(PortalError):
    """A tool isn't there."""


class TooLong(PortalError):
    """The time that the work may take is over."""


@dataclass
class Bench:
    """Where a piece of work is done: a private folder, when to stop, and until when at most (time.monotonic)."""

    folder: Path
    stop: Event = field(default_factory=Event)
    ends: float = field(default_factory=lambda: time.monotonic() + 3600)

    def check(self) -> None:
        """Raise Canceled or TooLong when the work has to stop."""
        if self.stop.is_set():
            raise Canceled
        if time.monotonic() > self.ends:
            raise TooLong("It took too long and was stopped.")


@contextmanager
def bench(folder: Path, stop: Event, seconds: float) -> Iterator[Bench]:
    """A folder for nobody but us, gone at the end with all that runs in it."""
    clear(folder)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield Bench(folder.resolve(), stop, time.monotonic() + seconds)
    finally:
        clear(folder)


def clear(folder: Path) -> None:
    """End what still runs for this folder's work on this machine, and delete the folder."""
    for number in _running_in(folder.resolve()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _running_in(folder: Path) -> Iterator[int]:
    mark = f"{MARK}={folder}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0"):
                yield int(place.name)


@cache
def path_of(tool: str) -> str:
    """The tool's path: beside Python, as pip installs it, or the system's. Raises Missing."""
    beside = Path(sys.executable).with_name(tool)
    found = str(beside) if beside.exists() else shutil.which(tool)
    if not found:
        raise Missing(f"{tool} isn't installed on the portal's machine. The provider has to install it.")
    return found


def version_of(tool: str) -> str:
    """Such as 0.14.0. Raises Missing."""
    with tempfile.TemporaryDirectory(prefix="portal-version-") as folder:
        _code, told = said([tool, "version"], Bench(Path(folder)), {})
    found = re.search(r"\d+(\.\d+)+", told)
    return found[0] if found else "of an unknown version"


def run(
    words: Sequence[str],
    at: Bench,
    environment: Mapping[str, str],
    take: Take,
    *,
    cwd: str | Path | None = None,
    given: bytes = b"",
) -> int:
    """Run a tool to its end, each line of either stream given to `take`; gives its exit code as subprocess does.

    Raises Missing, Canceled and TooLong; whatever it started is gone then.
    """
    with started(words, at, environment, cwd=cwd, given=subprocess.PIPE, errors=subprocess.PIPE) as process:
        threads = [
            threading.Thread(target=_lines, args=(stream, take), daemon=True)
            for stream in (process.stdout, process.stderr)
        ]
        threads.append(threading.Thread(target=_feed, args=(process.stdin, given), daemon=True))
        for thread in threads:
            thread.start()
        code = wait(process, at)
        for thread in threads:
            thread.join(_GENTLY_SECONDS)
        return code


def said(words: Sequence[str], at: Bench, environment: Mapping[str, str], given: bytes = b"") -> tuple[int, str]:
    """The exit code of a tool that says little, and all that it said on either stream."""
    lines: list[bytes] = []
    code = run(words, at, environment, lines.append, given=given)
    return code, b"\n".join(lines).decode("utf-8", "replace").strip()


@contextmanager
def started(
    words: Sequence[str],
    at: Bench,
    environment: Mapping[str, str],
    *,
    cwd: str | Path | None = None,
    given: int = subprocess.DEVNULL,
    errors: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """The tool while it runs; whatever is left of it is ended with the block."""
    at.check()
    tool, *rest = words
    own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    process = subprocess.Popen(
        [*_gently(), path_of(tool), *rest],
        stdin=given,
        stdout=subprocess.PIPE,
        stderr=errors,
        # The tools look for settings at home: there is nothing of anybody's.
        env={**own, **_OURS, "HOME": str(at.folder), "TMPDIR": str(at.folder), MARK: str(at.folder), **environment},
        cwd=cwd or at.folder,
        start_new_session=True,
    )
    _step_back(process.pid)
    try:
        yield process
    finally:
        _end(process)


def wait(process: subprocess.Popen[bytes], at: Bench) -> int:
    """The exit code, once it has ended. Raises Canceled and TooLong."""
    # Waiting with a limit, Python looks twenty times a second; many at once would keep it busy with that alone.
    handle = os.pidfd_open(process.pid)
    try:
        while process.poll() is None:
            at.check()
            select.select([handle], [], [], _LOOK_SECONDS)
    finally:
        os.close(handle)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    # restic takes its lock away when it is interrupted, and has a moment for that.
    for number, seconds in ((signal.SIGINT, _GENTLY_SECONDS), (signal.SIGKILL, None)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _feed(stream: IO[bytes], given: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.write(given)
        stream.close()


def _niceness() -> int:
    """How far each tool steps back, such that all that may run at once weigh no more than one ordinary process.

    No further: on a machine that is always busy, a backup is to come through, too.
    """
    return min(_NICEST, round(4.4 * math.log2(settings().backups_at_once)))


def _step_back(process: int) -> None:
    # Where Linux shares the processor among sessions, being nice counts within one's own only.
    with contextlib.suppress(OSError):
        Path(f"/proc/{process}/autogroup").write_text(str(_niceness()))


def _gently() -> tuple[str, ...]:
    words = (("ionice", "--class", "best-effort", "--classdata", "7"), ("nice", "-n", str(_niceness())))
    return tuple(word for one in words if shutil.which(one[0]) for word in one)


def _lines(stream: IO[bytes], take: Take) -> None:
    rest = b""
    with contextlib.suppress(OSError, ValueError):
        while piece := os.read(stream.fileno(), 65536):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                take(line)
            rest = rest[-_LONGEST_LINE:]
    take(rest)
