"""What a video's captions (WebVTT) say, as text to read."""

from pathlib import Path

# A longer one is no caption file of a lesson's; in bytes.
LONGEST = 200_000


def said_in(file: Path) -> tuple[str, ...]:
    """The captions' words, one cue a line; times, numbers and notes left out."""
    with file.open("rb") as opened:
        text = opened.read(LONGEST).decode("utf-8-sig", errors="replace")
    cues = (block.splitlines() for block in text.replace("\r\n", "\n").split("\n\n"))
    return tuple(said for cue in cues if (said := _said(cue)))


def _said(cue: list[str]) -> str:
    """The words below the line of times; empty for a block that has none."""
    at = next((n for n, line in enumerate(cue) if "-->" in line), None)
    return "" if at is None else " ".join(" ".join(cue[at + 1 :]).split())
