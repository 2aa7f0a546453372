"""`python -m tests.bench`: builds the pages where needed, measures, prints the table."""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from portal_app import build
from tests.bench import answers, audit, billing, browser, data, documents, entities, others, report, rounds, wire

PARTS = ("rounds", "answers", "wire", "others", "start", "audit", "documents", "billing", "entities")


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sizes", default="1000,100000,1000000", help="numbers of accounts, by comma")
    parser.add_argument("--n", type=int, default=15, help="rounds at each size")
    parser.add_argument("--seed", type=int, default=20261123, help="of the shuffled order")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, by comma: {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="where the figures go; default: result.json in the bench's folder")
    return parser.parse_args()


def measure(browser: Browser, asked: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Any, list[report.Line]]]:
    """Part by part: its name, every single figure of it, its lines of the table."""
    sizes, parts = [int(size) for size in asked.sizes.split(",")], asked.only.split(",")
    middle = sizes[len(sizes) // 2]
    if "rounds" in parts:
        found = {size: rounds.measure(browser, size, asked.n, asked.seed, folder / str(size)) for size in sizes}
        yield "rounds", found, list(report.painted(found))
    if "answers" in parts:
        taken = {size: answers.measure(size, asked.n * 7, asked.seed, folder / f"answers-{size}") for size in sizes}
        yield "answers", taken, list(report.answers(taken))
        a_second = answers.rates(middle, folder / "rates")
        yield "rates", a_second, list(report.rates(a_second, middle))
    if "wire" in parts:
        weighed = wire.measure(browser, middle, folder / "wire")
        yield "wire", weighed, list(report.wire(weighed, middle))
    if "others" in parts:
        beside = others.beside(browser, middle, asked.n * 12, folder / "others")
        yield "others", beside, list(report.others(beside, middle))
    if "start" in parts:
        seconds = others.second_start(browser, min(5, asked.n), folder / "start")
        yield "start", seconds, [report.starts(seconds)]
    yield from lists(parts, asked.n * 7)
    if "documents" in parts:
        files = documents.measure(asked.n)
        yield (
            "documents",
            {f"{what}, {lines}": times for (what, lines), times in files.items()},
            [*report.documents(files)],
        )
    if "billing" in parts:
        floor, portal, rows = billing.measure(min(5, asked.n))
        yield "billing", {"floor": floor, "portal": portal}, list(report.billing(floor, portal, rows))


def lists(parts: list[str], number: int) -> Iterator[tuple[str, Any, list[report.Line]]]:
    """Pages of lists against their own SQL."""
    for name, part, tell in (("audit", audit, report.audit), ("entities", entities, report.entities)):
        if name in parts:
            asked_for, lasting = part.measure(number)
            yield name, asked_for | lasting, list(tell(asked_for, lasting))


def main() -> None:
    """Measure and report; what was measured is kept when a later part fails."""
    asked = arguments()
    # Ended from outside, too, the servers must not stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build.ensure_built()
    target, kept = asked.json or data.cache() / "result.json", {"raw": {}, "lines": []}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=data.cache()) as folder, browser.chromium() as chromium:
        print(f"{machine(chromium.version)}; n = {asked.n}, medians, milliseconds unless said\n\n{report.COLUMNS}")
        for name, raw, lines in measure(chromium, asked, Path(folder)):
            print(report.markdown(lines), flush=True)
            kept["raw"][name] = raw
            kept["lines"] += report.as_json(lines)
            target.write_text(json.dumps(kept | {"machine": machine(chromium.version)}, indent=1))
    print(f"\nEvery figure: {target}", file=sys.stderr)


def machine(chromium: str) -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, Chromium {chromium}, {platform.python_version()}"


if __name__ == "__main__":
    main()
