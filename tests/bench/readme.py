"""`python -m tests.bench.readme`: writes what `make bench` measured into README, so that nobody copies by hand."""

import json
from collections.abc import Iterator
from typing import Any

from tests.bench import data, report

RESULT = "result.json"
README = data.ROOT / "README.md"
BEGINS, ENDS = "<!-- measured by make bench -->", "<!-- end of what was measured -->"
# What the table shows; the other parts are told of in words.
SHOWN = ("rounds", "far", "answers", "rates", "crowd", "memory", "wire", "lighthouse", "others", "start")
# Of the others, what has a limit.
WHOLE = ("rates", "crowd")


def written(text: str, kept: dict[str, Any]) -> str:
    """README's text with these figures in their place."""
    before, _, rest = text.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    return "\n".join([before + BEGINS, *_measured(kept), "", report.COLUMNS, *_rows(kept), "", ENDS + after])


def _measured(kept: dict[str, Any]) -> Iterator[str]:
    """When, on what and how often, said once for all parts that have it in common."""
    said: dict[str, list[str]] = {}
    for part in _parts(kept):
        # `answers` measures both.
        if part == "rates":
            continue
        told = kept[part]
        # The crowd comes once.
        times = "" if part == "crowd" else f", n = {told['n']}"
        said.setdefault(f"on {told['on']}, {told['machine']}{times}", []).append(part)
    for how, parts in said.items():
        yield f'`make bench BENCH="--only {",".join(parts)}"` {how}.'


def _rows(kept: dict[str, Any]) -> Iterator[str]:
    """What has a limit, and what the browser shows of the floor and Django."""
    for part in _parts(kept):
        lines = report.from_json(kept[part]["lines"])
        yield report.markdown([line for line in lines if line.verdict or line.django or part in WHOLE])


def _parts(kept: dict[str, Any]) -> list[str]:
    return [part for part in SHOWN if part in kept]


def main() -> None:
    """Write it."""
    kept = json.loads((data.cache() / RESULT).read_text())
    README.write_text(written(README.read_text(), kept))


if __name__ == "__main__":
    main()
