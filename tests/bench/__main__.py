"""`python -m tests.bench`: builds the pages where needed, measures, prints the table."""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from portal_app import build
from tests.bench import browser, data, others, report, rounds, wire

PARTS = ("rounds", "wire", "others", "start")


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sizes", default="1000,100000,1000000", help="numbers of accounts, by comma")
    parser.add_argument("--n", type=int, default=15, help="rounds at each size")
    parser.add_argument("--seed", type=int, default=20261123, help="of the shuffled order")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, by comma: {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="where the figures go; default: result.json in the bench's folder")
    return parser.parse_args()


def measure(browser: Browser, asked: argparse.Namespace, folder: Path) -> tuple[list[report.Line], dict[str, Any]]:
    """All parts that were asked for; the lines of the table, and every single figure."""
    sizes, parts = [int(size) for size in asked.sizes.split(",")], asked.only.split(",")
    middle, lines, raw = sizes[len(sizes) // 2], [], {}
    if "rounds" in parts:
        raw["rounds"] = {size: rounds.measure(browser, size, asked.n, asked.seed, folder / str(size)) for size in sizes}
        lines += report.painted(raw["rounds"])
    if "wire" in parts:
        raw["wire"] = wire.measure(browser, middle, folder / "wire")
        lines += report.wire(raw["wire"], middle)
    if "others" in parts:
        raw["others"] = others.beside(browser, middle, asked.n * 12, folder / "others")
        lines += report.others(raw["others"], middle)
    if "start" in parts:
        raw["start"] = others.second_start(browser, min(5, asked.n), folder / "start")
        lines.append(report.starts(raw["start"]))
    return lines, raw


def main() -> None:
    """Measure and report."""
    asked = arguments()
    build.ensure_built()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=data.cache()) as folder, browser.chromium() as chromium:
        version = chromium.version
        lines, raw = measure(chromium, asked, Path(folder))
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, Chromium {version}, {platform.python_version()}"
    print(f"{machine}; n = {asked.n}, medians, milliseconds unless said\n\n{report.markdown(lines)}")
    target = asked.json or data.cache() / "result.json"
    target.write_text(json.dumps({"machine": machine, "lines": report.as_json(lines), "raw": raw}, indent=1))
    print(f"\nEvery figure: {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
