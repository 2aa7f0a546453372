"""Brings reports to the portal: each is written to a file first, and the file goes when the portal has taken it."""

import contextlib
import json
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 60.0
_PATH = "/api/v1/backup-runs"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_AT_ONCE = 1000
# Neither spaces nor line ends: what can't be a header's value would be told back by the client in its error.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


class Fate(Enum):
    """What became of a report: taken, refused for good, or to be tried again later."""

    TAKEN = auto()
    REFUSED = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the portal made of one report; `pause` is how many seconds it asks to wait, `again` whether that helps."""

    fate: Fate
    sentence: str = ""
    again: bool = False
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Portal:
    """Where reports go. `url` without a path; `spool` is the folder of those that wait."""

    url: str
    token: str
    spool: Path
    patience: float = PATIENCE

    def deliver(self, body: dict[str, Any]) -> None:
        """Send a report or keep it for next time, then send what was kept before. The portal's faults raise nothing."""
        file = self._keep(body)
        answer = self._insist(body)
        self._settle(file, answer)
        if answer.fate is not Fate.LATER:
            self._catch_up()

    def _insist(self, body: dict[str, Any]) -> Answer:
        ends, pause = time.monotonic() + self.patience, _FIRST_PAUSE
        while True:
            answer = self._send(body)
            wait = max(pause, answer.pause)
            if not answer.again or time.monotonic() + wait > ends:
                return answer
            time.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _send(self, body: dict[str, Any]) -> Answer:
        if not _TOKEN.fullmatch(self.token):
            return Answer(Fate.LATER, "There is no token, or it isn't one of the portal's")
        try:
            headers = {"Authorization": f"Bearer {self.token}"}
            return _read(httpx.post(self.url + _PATH, json=body, headers=headers, timeout=10))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
            return Answer(Fate.LATER, f"The portal can't be reached ({type(fault).__name__})", again=True)

    def _keep(self, body: dict[str, Any]) -> Path | None:
        try:
            self.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
            # mkstemp makes the file for its owner alone; its name orders the files by time.
            handle, name = tempfile.mkstemp(".part", f"{time.time_ns()}-", self.spool)
            with os.fdopen(handle, "w") as file:
                json.dump({"url": self.url, "report": body}, file)
            kept = Path(name).with_suffix(".json")
            Path(name).rename(kept)
        except OSError as fault:
            _tell(f"The report can't be kept in {self.spool}: {fault.strerror}.")
            return None
        return kept

    def _settle(self, file: Path | None, answer: Answer) -> None:
        if answer.fate is Fate.TAKEN and file:
            file.unlink(missing_ok=True)
        elif answer.fate is Fate.REFUSED:
            _tell(f"The portal refused the report: {answer.sentence}")
            if file:
                _set_aside(file)
        elif answer.fate is Fate.LATER:
            _tell(f"{answer.sentence}. {'The report is kept for next time.' if file else 'The report is lost.'}")

    def _catch_up(self) -> None:
        for file in sorted(self.spool.glob("*.json"))[:_AT_ONCE]:
            body = self._kept(file)
            if body is None:
                continue
            answer = self._send(body)
            if answer.fate is Fate.LATER:
                return
            self._settle(file, answer)

    def _kept(self, file: Path) -> dict[str, Any] | None:
        try:
            found = json.loads(file.read_text())
            url, body = found["url"], found["report"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError):
            _tell(f"{file} can't be read and was set aside.")
            _set_aside(file)
            return None
        # A report that was meant for another portal is no business of this one.
        return body if url == self.url else None


def _set_aside(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.rename(file.with_suffix(".refused"))


def _read(response: httpx.Response) -> Answer:
    status = response.status_code
    if status in {200, 201}:
        return Answer(Fate.TAKEN)
    if status in {401, 403}:
        return Answer(
            Fate.LATER, "The portal refused the token" if status == 401 else "The token may not report backups"
        )
    if status == 429 or status >= 500:
        wait = response.headers.get("retry-after", "")
        return Answer(Fate.LATER, "The portal is busy", again=True, pause=float(wait) if wait.isdecimal() else 0.0)
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        return Answer(Fate.REFUSED, _sentence(response))
    return Answer(Fate.LATER, f"The address answered {status}, which the portal doesn't: is --url right")


def _sentence(response: httpx.Response) -> str:
    try:
        problem = response.json()
        fields = [f"{error['field']}: {error['detail']}" for error in problem.get("errors", ())]
        told = " ".join([problem["detail"], *fields])
    except (ValueError, KeyError, TypeError, AttributeError):
        told = f"Status {response.status_code}."
    return "".join(char for char in told if char.isprintable())[:1000]


def _tell(sentence: str) -> None:
    print(f"portal report: {sentence}", file=sys.stderr, flush=True)
