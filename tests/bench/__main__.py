"""`python -m tests.bench`: builds the pages where needed, measures, prints the table."""

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from portal_app import build, clock
from tests.bench import (
    answers,
    audit,
    billing,
    browser,
    crowd,
    data,
    delay,
    documents,
    entities,
    lighthouse,
    memory,
    others,
    readme,
    report,
    rounds,
    wire,
)

Found = Iterator[tuple[str, Any, Iterable[report.Line]]]  # a part's name, every single figure, its lines of the table


@dataclass(frozen=True)
class Bench:
    """What is measured with: the parts are its methods."""

    browser: Browser
    sizes: list[int]
    n: int
    seed: int
    folder: Path

    @property
    def middle(self) -> int:
        return self.sizes[len(self.sizes) // 2]

    def rounds(self) -> Found:
        folders = {size: self.folder / f"rounds-{size}" for size in self.sizes}
        found = {size: rounds.measure(self.browser, size, self.n, self.seed, folders[size]) for size in self.sizes}
        yield "rounds", found, report.painted(found)

    def far(self) -> Found:
        found = delay.measure(self.browser, self.middle, self.n, self.seed, self.folder / "far")
        yield "far", found, report.far(found, self.middle)

    def answers(self) -> Found:
        folders = {size: self.folder / f"answers-{size}" for size in self.sizes}
        found = {size: answers.measure(size, self.n * 7, self.seed, folders[size]) for size in self.sizes}
        yield "answers", found, report.answers(found)
        rates = {size: answers.rates(size, self.folder / f"rates-{size}") for size in {self.sizes[0], self.middle}}
        yield "rates", rates, report.rates(rates)

    def crowd(self) -> Found:
        """Less than fourteen minutes; only where it is asked for."""
        # In a thread of its own: in this one the browser's loop runs.
        with ThreadPoolExecutor(1) as own:
            found = own.submit(crowd.measure, self.folder / "crowd").result()
        yield "crowd", asdict(found), report.crowd(found)

    def memory(self) -> Found:
        found = memory.measure(self.sizes[0], self.folder / "memory")
        yield "memory", found, report.memory(found, self.sizes[0])

    def wire(self) -> Found:
        found = wire.measure(self.browser, self.middle, self.folder / "wire")
        yield "wire", found, report.wire(found, self.middle)

    def lighthouse(self) -> Found:
        found = lighthouse.measure(self.browser, self.middle, 1 + self.n // 30, self.folder / "lighthouse")
        yield "lighthouse", found, report.lighthouse(found, self.middle)

    def others(self) -> Found:
        found = others.beside(self.browser, self.middle, self.n * 12, self.folder / "others")
        yield "others", found, report.others(found, self.middle)

    def start(self) -> Found:
        found = others.second_start(self.browser, min(5, self.n), self.folder / "start")
        yield "start", found, [report.starts(found)]

    def audit(self) -> Found:
        found, lasting = audit.measure(self.n * 7)
        yield "audit", found | lasting, report.audit(found, lasting)

    def entities(self) -> Found:
        found, lasting = entities.measure(self.n * 7)
        yield "entities", found | lasting, report.entities(found, lasting)

    def documents(self) -> Found:
        found = documents.measure(self.n)
        told = {f"{what}, {lines}": times for (what, lines), times in found.items()}
        yield "documents", told, report.documents(found)

    def billing(self) -> Found:
        floor, portal, rows = billing.measure(min(5, self.n))
        yield "billing", {"floor": floor, "portal": portal}, report.billing(floor, portal, rows)


# What README's table shows, and what is asked for by name.
TABLE = ("rounds", "far", "answers", "memory", "wire", "lighthouse", "others", "start")
MORE = ("crowd", "audit", "documents", "billing", "entities")


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sizes", default="1000,100000,1000000", help="numbers of accounts, by comma")
    parser.add_argument("--n", type=int, default=15, help="rounds at each size")
    parser.add_argument("--seed", type=int, default=20261123, help="of the shuffled order")
    parts = f"parts, by comma: {', '.join(TABLE)} (all of these, unless said); {', '.join(MORE)}"
    parser.add_argument("--only", default=",".join(TABLE), help=parts)
    parser.add_argument("--json", type=Path, help="where the figures go; default: result.json in the bench's folder")
    return parser.parse_args()


def main() -> None:
    """Measure and report; what was measured is kept when a later part fails, and what other runs measured stays."""
    asked = arguments()
    # Ended from outside, too, the servers must not stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build.ensure_built()
    target = asked.json or data.cache() / readme.RESULT
    kept, failed = json.loads(target.read_text()) if target.exists() else {}, list[str]()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=data.cache()) as folder, browser.chromium() as chromium:
        told = {"machine": machine(chromium.version), "n": asked.n, "on": f"{clock.now():%Y-%m-%d}"}
        print(f"{told['machine']}; n = {asked.n}, medians, milliseconds unless said\n\n{report.COLUMNS}")
        bench = Bench(chromium, [int(size) for size in asked.sizes.split(",")], asked.n, asked.seed, Path(folder))
        for part in asked.only.split(","):
            try:
                for name, raw, made in getattr(bench, part)():
                    lines = list(made)
                    print(report.markdown(lines), flush=True)
                    kept[name] = told | {"raw": raw, "lines": report.as_json(lines)}
                    target.write_text(json.dumps(kept, indent=1))
            except Exception:
                # The others are worth their minutes all the same.
                traceback.print_exc()
                failed.append(part)
    print(f"\nEvery figure: {target}", file=sys.stderr)
    if failed:
        raise SystemExit(f"Not measured, see above: {', '.join(failed)}")


def machine(chromium: str) -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}, Chromium {chromium}, {platform.python_version()}"


if __name__ == "__main__":
    main()
