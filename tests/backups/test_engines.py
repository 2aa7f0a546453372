"""What the engines' lines come to. Lines of restic 0.14 and rclone 1.75 were recorded from the tools themselves;

those of restic 0.17 and later, which Debian 12 hasn't, are from its documentation (075_scripting).
"""

import json
import random
from typing import Any

import pytest

from portal_app.backups.engines import Reader, Verdict, judge
from portal_app.backups.intake import MOST_BYTES, MOST_ENTITIES
from portal_app.models import Outcome

SUMMARY = (
    '{"message_type":"summary","files_new":2,"files_changed":0,"files_unmodified":0,"dirs_new":2,"data_added":1454,'
    '"total_files_processed":2,"total_bytes_processed":10,"total_duration":0.2,"snapshot_id":"d2904eb9"}'
)
ERROR = '{"message_type":"error","error":{"Op":"open","Path":"x","Err":13},"during":"%s","item":"%s"}'
RESTIC = ["restic", "backup"]


def read(*lines: str, code: int = 0, command: list[str] = RESTIC) -> Verdict:
    reader = Reader()
    for line in lines:
        reader.take(line.encode())
    return judge(reader, code, command)


def test_a_summary() -> None:
    assert read(SUMMARY) == Verdict(Outcome.SUCCESSFUL, "", "d2904eb9", 1454, 10, 2, 0)


def test_a_file_that_fails_twice_counts_once() -> None:
    found = read(ERROR % ("scan", "/a"), ERROR % ("archival", "/a"), ERROR % ("archival", "/b"), SUMMARY, code=3)
    assert (found.outcome, found.entities_failed, found.message) == (Outcome.PARTIAL, 2, "2 files could not be read.")


def test_a_run_that_failed_after_its_summary_tells_no_sizes() -> None:
    found = read(SUMMARY, code=1)
    assert (found.outcome, found.size_bytes, found.message) == (Outcome.FAILED, None, "The command ended with code 1.")


def test_several_backups_of_one_script_add_up() -> None:
    found = read(SUMMARY, SUMMARY.replace("d2904eb9", "aaaaaaaa"), command=["sh", "-c", "…"])
    assert (found.added_bytes, found.size_bytes, found.entities, found.run) == (2908, 20, 4, "aaaaaaaa")


PASSWORD = "Wrong password or no key found."
NO_REPOSITORY = "Repository not found."
LOCKED = "The repository is locked by another command."
CONFIG = "Fatal: unable to open config file: "


def last_words(code: int, message: str) -> str:
    """How restic >= 0.17 says with --json why it ends."""
    return json.dumps({"message_type": "exit_error", "code": code, "message": message})


@pytest.mark.parametrize(
    ("code", "line", "says"),
    [
        (1, "Fatal: wrong password or no key found", PASSWORD),
        (12, "", PASSWORD),
        (12, last_words(12, "Fatal: wrong password or no key found"), PASSWORD),
        (1, last_words(1, "Fatal: wrong password or no key found"), PASSWORD),
        (10, last_words(10, "Fatal: repository does not exist: unable to open config file"), NO_REPOSITORY),
        (11, last_words(11, "unable to create lock in backend"), LOCKED),
        (1, f"{CONFIG}stat /r/config: no such file or directory", NO_REPOSITORY),
        (1, f"{CONFIG}Stat: dial tcp 10.0.0.1:443: connect: connection refused", "The storage can't be reached."),
        (1, f"{CONFIG}open /r/config: permission denied", "The storage refused access."),
        (1, "Fatal: unable to create lock in backend: repository is already locked by PID 1", LOCKED),
        (1, "Fatal: unable to save snapshot: write /r/x: no space left on device", "The storage is full."),
        (1, "Fatal: something new with /secret/path and key=hunter2", "The command ended with code 1."),
        (130, "", "The command ended with code 130."),
        (-15, "", "The command was stopped by SIGTERM."),
        (-63, "", "The command was stopped by signal 63."),
    ],
)
def test_a_failure_in_our_words(code: int, line: str, says: str) -> None:
    found = read(line, code=code)
    assert (found.outcome, found.message) == (Outcome.FAILED, says)


def test_a_file_whose_name_looks_like_a_fault_says_nothing() -> None:
    found = read(ERROR % ("archival", "/Fatal: wrong password or no key found"), code=1)
    assert found.message == "The command ended with code 1."


def test_exit_code_3_means_partial_only_from_restic() -> None:
    assert read(code=3).outcome == Outcome.PARTIAL
    assert read(code=3, command=["nice", "/usr/bin/restic", "backup"]).outcome == Outcome.PARTIAL
    assert read(code=3, command=["tar"]).outcome == Outcome.FAILED


@pytest.mark.parametrize("snapshot", [None, "", "../../etc", "X" * 64, 5, ["d2904eb9"]])
def test_an_odd_snapshot_id_is_not_ours_to_use(snapshot: Any) -> None:
    assert read(json.dumps({"message_type": "summary", "snapshot_id": snapshot})).run is None


def test_odd_numbers_are_brought_into_bounds() -> None:
    odd = {"data_added": -5, "total_bytes_processed": 2**70, "total_files_processed": "many"}
    found = read(json.dumps({"message_type": "summary"} | odd))
    assert (found.added_bytes, found.size_bytes, found.entities) == (0, MOST_BYTES, 0)
    stats = {"level": "info", "msg": "", "stats": {"bytes": 2**70, "transfers": 2**40, "checks": None}}
    found = read(json.dumps(stats), command=["rclone"])
    assert (found.added_bytes, found.entities) == (MOST_BYTES, MOST_ENTITIES)


def test_no_line_breaks_the_reader() -> None:
    made = random.Random(8)
    pieces = [
        SUMMARY,
        '{"message_type":',
        '{"level":"error","msg":1,"objectType":5}',
        '{"stats":[],"level":1,"msg":[]}',
    ]
    pieces += ["{" * 5000, "\x00", "Fatal:", "null", '{"message_type":{}}', '{"level":"info","msg":"","stats":7}']
    reader = Reader()
    for _ in range(3000):
        line = made.choice(pieces)
        cut = made.randrange(len(line) + 1)
        reader.take((line[:cut] + made.choice(pieces)).encode() + bytes([made.randrange(256)]))
        reader.take(line.encode())
    assert judge(reader, 0, ["sh"]).outcome in set(Outcome)


def test_what_is_kept_does_not_grow_with_the_output() -> None:
    reader = Reader()
    for number in range(20_000):
        reader.take(f"Fatal: {number} something went wrong".encode())
    assert len(reader.last_words) <= 4000


# Lines as rclone 1.75 wrote them; the attempt in which `b` was read after all is put together from two of its runs.
UNREAD = '{"level":"error","msg":"Failed to copy: permission denied","object":"%s","objectType":"*local.Object"}'
ATTEMPT = '{"level":"error","msg":"Attempt %s failed with 1 errors and: permission denied","source":"cmd/cmd.go:283"}'
STATS = (
    '{"level":"info","msg":"Transferred","stats":{"bytes":11,"checks":4,"errors":%d,"fatalError":false,"transfers":1}}'
)
RCLONE = ["rclone", "copy"]


def test_what_rclone_reads_in_a_later_attempt_did_not_fail() -> None:
    lines = (UNREAD % "a", UNREAD % "b", ATTEMPT % "1/3", UNREAD % "a", ATTEMPT % "2/3", UNREAD % "a", ATTEMPT % "3/3")
    found = read(*lines, STATS % 1, code=1, command=RCLONE)
    assert (found.outcome, found.entities_failed, found.message) == (Outcome.PARTIAL, 1, "1 file could not be read.")
    found = read(UNREAD % "a", ATTEMPT % "1/3", STATS % 0, command=RCLONE)
    assert (found.outcome, found.entities_failed, found.message) == (Outcome.SUCCESSFUL, 0, "")


def test_a_fatal_end_of_rclone_failed_whatever_it_had_copied() -> None:
    fatal = (STATS % 1).replace('"fatalError":false', '"fatalError":true')
    assert read(fatal, code=7, command=RCLONE).outcome == Outcome.FAILED
