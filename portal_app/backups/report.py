"""`python -m portal_app report … -- COMMAND`: runs a backup command and tells the portal how it went.

The command's output passes through, its exit code is the wrapper's, and no fault of the portal changes either.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any
from urllib.parse import urlsplit

from portal_app import clock
from portal_app.backups.delivery import PATIENCE, Portal
from portal_app.backups.engines import Reader, Verdict, judge
from portal_app.backups.rows import Service
from portal_app.models import Outcome
from portal_app.settings import settings

TOKEN_VARIABLE = "PORTAL_API_TOKEN"
# What a shell answers for a command that is not there, or can't be run.
NOT_FOUND, NOT_RUNNABLE = 127, 126
_LONGEST_LINE = 1 << 20
_LAST_OUTPUT = 3.0
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def report(args: Sequence[str], *, patience: float = PATIENCE) -> int:
    """Run what stands after `--`, report it, and return its exit code (128 + n when signal n ended it).

    `patience` is for how many seconds a portal that doesn't answer is tried. Exits with 2 for wrong usage.
    """
    given, command = _parse(args)
    portal = Portal(given.url, _token(given), given.spool, patience)
    run_key, started = str(uuid.uuid4()), clock.now()
    code, verdict = _run(command)
    about = {"account": given.account, "task": given.task, "service": given.service, "name": given.name}
    portal.deliver(_body(about, verdict, run_key, started.isoformat()) | _listed(given.entities))
    return 128 - code if code < 0 else code


def _parse(args: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    args = list(args)
    cut = args.index("--") if "--" in args else len(args)
    parser = _parser()
    given, command = parser.parse_args(args[:cut]), args[cut + 1 :]
    if not command:
        parser.error("give the command to run after --")
    parts = urlsplit(given.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        parser.error("--url must be an address such as https://portal.example")
    return given, command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m portal_app report",
        usage="%(prog)s --account A --task T [options] -- COMMAND …",
        description="Run a backup command (restic backup --json, rclone --use-json-log -v) and report how it went.",
        epilog=f"The token comes from --token-file or from {TOKEN_VARIABLE}, never from the command line.",
        allow_abbrev=False,
    )
    parser.add_argument("--account", required=True, help="number or email address of the customer's account")
    parser.add_argument("--task", required=True, help="name of the task; an unknown one is created")
    parser.add_argument("--service", choices=[service.value for service in Service], help="what a new task backs up")
    parser.add_argument("--name", help="name of a new task (default: the task's)")
    parser.add_argument("--entities", type=Path, help="a JSON list of the entities, which the command may write")
    parser.add_argument("--url", type=lambda url: url.rstrip("/"), default=_own_url(), help="the portal's address")
    parser.add_argument("--token-file", type=Path, help="a file that holds the token")
    parser.add_argument(
        "--spool", type=Path, default=settings().data_dir / "spool", help="folder of reports that wait for the portal"
    )
    return parser


def _own_url() -> str:
    return f"http://127.0.0.1:{settings().port}"


def _token(given: argparse.Namespace) -> str:
    if given.token_file is None:
        return os.environ.get(TOKEN_VARIABLE, "").strip()
    try:
        return given.token_file.read_text().strip()
    except (OSError, ValueError):
        # The backup matters more than its report: it runs, and the report waits for a token.
        print("portal report: The token file can't be read.", file=sys.stderr, flush=True)
        return ""


def _body(about: dict[str, Any], verdict: Verdict, run_key: str, started: str) -> dict[str, Any]:
    told = {
        "run": verdict.run or run_key,
        "started": started,
        "finished": clock.now().isoformat(),
        "outcome": verdict.outcome.value,
        "added_bytes": verdict.added_bytes,
        "size_bytes": verdict.size_bytes,
        "entities": verdict.entities,
        "entities_failed": verdict.entities_failed,
        "message": verdict.message,
    }
    return {name: value for name, value in (about | told).items() if value is not None}


def _listed(file: Path | None) -> dict[str, Any]:
    """The entities that the file lists, for the portal to judge; nothing when it isn't a list at all."""
    if file is None:
        return {}
    try:
        listed = json.loads(file.read_text())
    except (OSError, ValueError):
        listed = None
    if not isinstance(listed, list):
        print("portal report: The file of entities can't be read; the run is reported without.", file=sys.stderr)
        return {}
    return {"entity_list": listed}


def _run(command: list[str]) -> tuple[int, Verdict]:
    reader = Reader()
    try:
        code = _pass_through(command, reader.take)
    except FileNotFoundError:
        return _not_run(NOT_FOUND, "The command was not found.")
    except (OSError, ValueError):
        return _not_run(NOT_RUNNABLE, "The command can't be run.")
    return code, judge(reader, code, command)


def _not_run(code: int, sentence: str) -> tuple[int, Verdict]:
    print(f"portal report: {sentence}", file=sys.stderr, flush=True)
    return code, Verdict(Outcome.FAILED, sentence)


def _pass_through(command: list[str], take: Callable[[bytes], None]) -> int:
    """Run the command with its output on ours, each line also given to `take`. Answers its exit code."""
    # What the command starts has no business with the portal's token.
    environment = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    with _Forwarding() as signals:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        signals.to(process)
        pumps = [_pump(process.stdout, 1, take), _pump(process.stderr, 2, take)]
        code = process.wait()
        ends = time.monotonic() + _LAST_OUTPUT
        for pump in pumps:
            # Something that the command left behind may hold the stream open: not our concern any more.
            pump.join(max(0.0, ends - time.monotonic()))
        return code


def _pump(stream: IO[bytes] | None, to: int, take: Callable[[bytes], None]) -> threading.Thread:
    def run() -> None:
        rest = b""
        while stream is not None and (piece := os.read(stream.fileno(), 65536)):
            _write(to, piece)
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                take(line)
            rest = rest[-_LONGEST_LINE:]
        take(rest)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _write(to: int, piece: bytes) -> None:
    try:
        while piece:
            piece = piece[os.write(to, piece) :]
    except OSError:
        # Whoever read our output went away: the command goes on all the same.
        return


class _Forwarding:
    """Signals that ask us to end go to the command; we end after it, and tell of it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.early: list[int] = []
        self.before: dict[int, Any] = {}

    def __enter__(self) -> "_Forwarding":
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._forward) for number in _FORWARDED}
        return self

    def __exit__(self, *_fault: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def to(self, process: subprocess.Popen[bytes]) -> None:
        """Forward to this process, what came before it started included."""
        self.process = process
        for number in self.early:
            process.send_signal(number)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        # Ctrl-C at a terminal reaches the command without us; a second one would cut its cleaning up.
        if number == signal.SIGINT and os.isatty(0):
            return
        if self.process is None:
            self.early.append(number)
        else:
            self.process.send_signal(number)
