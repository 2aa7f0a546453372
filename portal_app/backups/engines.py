"""Reads what restic and rclone say of a run, and judges how it ended.

restic: `restic backup --json`, as 0.14 (Debian 12) and 0.17+ write it: https://restic.readthedocs.io/en/stable/075_scripting.html
rclone: `rclone copy|sync … --use-json-log -v` (or `--stats-log-level NOTICE`): https://rclone.org/docs/#use-json-log
What an engine says is never passed on word by word: names of files, addresses and keys stay where they are.
"""

import json
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal_app.backups.intake import MOST_BYTES, MOST_ENTITIES
from portal_app.models import Outcome

_ATTEMPT = re.compile(r"Attempt (\d+)/(\d+) failed")
# The first that is found in the engine's last words says it in ours; causes stand before what they lead to.
_CAUSES = (
    (r"wrong password or no key found", "Wrong password or no key found."),
    (r"already locked|unable to create lock", "The repository is locked by another command."),
    (r"no space left|quota exceeded", "The storage is full."),
    (
        r"connection refused|no such host|network is unreachable|i/o timeout|no route to host",
        "The storage can't be reached.",
    ),
    (r"permission denied|access ?denied|forbidden|unauthorized", "The storage refused access."),
    (r"unable to open config file|is there a repository at|repository does not exist", "Repository not found."),
    (r"all (target|source) directories/files do not exist", "What is to be backed up doesn't exist."),
    (r"directory not found", "What is to be backed up doesn't exist."),
    (r"didn't find section in config file", "The storage isn't set up under that name."),
)
_RESTIC_CODES = {
    10: "Repository not found.",
    11: "The repository is locked by another command.",
    12: "Wrong password or no key found.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended. `run` is the engine's own id; sizes in bytes, None where the engine doesn't tell."""

    outcome: Outcome
    message: str = ""
    run: str | None = None
    added_bytes: int = 0
    size_bytes: int | None = None
    entities: int | None = None
    entities_failed: int = 0


@dataclass
class Reader:
    """Takes an engine's output line by line and keeps only what counts."""

    summaries: list[dict[str, Any]] = field(default_factory=list)
    stats: dict[str, Any] | None = None
    attempts: int = 1
    missing: int = 0
    unread: set[int] = field(default_factory=set)
    last_words: str = ""

    def take(self, line: bytes) -> None:
        """Take one line of either stream."""
        text = line.decode("utf-8", "replace").strip()
        said = _object(text)
        if said is None:
            self._take_text(text)
        elif "message_type" in said:
            self._take_restic(said)
        elif "level" in said and "msg" in said:
            self._take_rclone(said)

    def _take_text(self, text: str) -> None:
        if text.endswith("does not exist, skipping"):
            self.missing += 1
        elif text.startswith(("Fatal:", "Is there a repository")):
            self._remember(text)

    def _take_restic(self, said: dict[str, Any]) -> None:
        kind = said["message_type"]
        if kind == "summary":
            self.summaries.append(said)
        elif kind == "error":
            # One file can fail twice: when it is looked for and when it is read.
            self.unread.add(hash(str(said.get("item"))))
        elif kind == "exit_error":
            self._remember(str(said.get("message")))

    def _take_rclone(self, said: dict[str, Any]) -> None:
        message = str(said["msg"])
        if isinstance(said.get("stats"), dict):
            self.stats = said["stats"]
        elif attempt := _ATTEMPT.match(message):
            self._next_attempt(int(attempt[1]), int(attempt[2]))
        elif said["level"] == "error" and str(said.get("objectType")).endswith("Object"):
            self.unread.add(hash(str(said.get("object"))))
        elif said["level"] == "critical" or message.startswith("Failed to "):
            self._remember(message)

    def _next_attempt(self, number: int, last: int) -> None:
        self.attempts = number
        if number < last:
            # rclone tries all of it again: only what the last attempt could not read counts.
            self.unread.clear()

    def _remember(self, text: str) -> None:
        self.last_words = f"{self.last_words} {text}"[-4000:].lower()


def judge(reader: Reader, code: int, command: Sequence[str]) -> Verdict:
    """How the command ended: `code` as subprocess gives it, negative for a signal."""
    if code < 0:
        return Verdict(Outcome.FAILED, f"The command was stopped by {_signal(-code)}.")
    if reader.summaries or _names(command, "restic"):
        return _restic(reader, code)
    if reader.stats is not None or _names(command, "rclone"):
        return _rclone(reader, code)
    return Verdict(Outcome.FAILED, _ended(code)) if code else Verdict(Outcome.SUCCESSFUL)


def _restic(reader: Reader, code: int) -> Verdict:
    if code not in {0, 3}:
        told = _RESTIC_CODES.get(code) or cause(reader) or _ended(code)
        return Verdict(Outcome.FAILED, told, entities_failed=len(reader.unread))
    failed = len(reader.unread) + reader.missing
    partial = code == 3 or failed > 0
    return Verdict(
        Outcome.PARTIAL if partial else Outcome.SUCCESSFUL,
        _unread(reader) if partial else "",
        _snapshot(reader),
        added_bytes=_sum(reader.summaries, "data_added", MOST_BYTES),
        size_bytes=_sum(reader.summaries, "total_bytes_processed", MOST_BYTES) if reader.summaries else None,
        entities=_sum(reader.summaries, "total_files_processed", MOST_ENTITIES) if reader.summaries else None,
        entities_failed=failed,
    )


def _rclone(reader: Reader, code: int) -> Verdict:
    stats = reader.stats or {}
    moved, compared = _number(stats.get("transfers"), MOST_ENTITIES), _number(stats.get("checks"), MOST_ENTITIES)
    # 9: nothing was to be copied, which `--error-on-no-transfer` asks to be told of.
    good = code in {0, 9}
    if not good and (stats.get("fatalError") or not moved + compared):
        return Verdict(Outcome.FAILED, cause(reader) or _ended(code), entities_failed=len(reader.unread))
    return Verdict(
        Outcome.SUCCESSFUL if good else Outcome.PARTIAL,
        "" if good else _unread(reader),
        added_bytes=_number(stats.get("bytes"), MOST_BYTES),
        # rclone counts no files: those it moved or, in its last attempt, found to be there.
        entities=max(moved, compared // reader.attempts) if reader.stats else None,
        entities_failed=0 if good else max(1, len(reader.unread)),
    )


def _unread(reader: Reader) -> str:
    number = len(reader.unread)
    parts = ["1 file could not be read." if number == 1 else f"{number:,} files could not be read."] if number else []
    if reader.missing:
        parts.append("Something that is to be backed up doesn't exist.")
    return " ".join(parts) or "Some files could not be backed up."


def _snapshot(reader: Reader) -> str | None:
    found = str(reader.summaries[-1].get("snapshot_id", "")) if reader.summaries else ""
    return found if re.fullmatch(r"[0-9a-f]{8,64}", found) else None


def cause(reader: Reader) -> str:
    """The fault that the engine told of last, in our words; empty when it is none of those known."""
    return next((told for pattern, told in _CAUSES if re.search(pattern, reader.last_words)), "")


def _ended(code: int) -> str:
    return f"The command ended with code {code}."


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _names(command: Sequence[str], engine: str) -> bool:
    # `sudo restic …`, `nice -n 19 /usr/bin/restic …`: the engine need not be the first word.
    return any(Path(word).name == engine for word in command)


def _object(text: str) -> dict[str, Any] | None:
    # Most lines of a long run are restic's progress: not worth parsing.
    if not text.startswith("{") or '"message_type":"status"' in text:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _sum(summaries: Sequence[dict[str, Any]], name: str, most: int) -> int:
    return min(most, sum(_number(summary.get(name), most) for summary in summaries))


def _number(value: Any, most: int) -> int:
    return max(0, min(most, value)) if isinstance(value, int) else 0
