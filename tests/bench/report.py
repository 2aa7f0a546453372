"""The figures against their targets, as Markdown and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import inf
from statistics import median, quantiles
from typing import Any

from portal_app.ui.field import TYPING_PAUSE_MS
from tests.bench.answers import INLINE
from tests.bench.crowd import Found as Crowd
from tests.bench.memory import TAB, TAB_REDIS
from tests.bench.others import OPERATIONS, QUIET
from tests.bench.rounds import CLICKS, COLD, FILTER, NEXT, SEARCH_FEW, SEARCH_MANY, SORT, Figures
from tests.bench.servers import BARE, DJANGO, FLOOR, FOUR, INDEXED, PORTAL, REDIS, SYSTEMS

SMALL, MIDDLE, LARGE = 1_000, 100_000, 1_000_000
# Lighthouse's scores.
LEAST = {("performance", "desktop"): 95, ("performance", "mobile"): 90}
LEAST |= {("accessibility", form): 100 for form in ("desktop", "mobile")}
TURNS = (FILTER, NEXT, SORT)
SEARCHES = (SEARCH_MANY, SEARCH_FEW)
COLUMNS = (
    "| | accounts | floor | indexed | Django | portal | ratio | at most | met |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Line:
    """One line of the table. `ratio` is what the target is about; no target, no verdict."""

    what: str
    accounts: int
    floor: float | None
    indexed: float | None
    portal: float
    p95: float | None
    ratio: float
    at_most: float | None
    against: str
    django: float | None = None
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        if self.at_least is None and self.at_most is None:
            return ""
        most, least = (other if one is None else one for one, other in ((self.at_most, inf), (self.at_least, -inf)))
        return "yes" if least <= self.ratio <= most else "no"


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def painted(found: dict[int, Figures]) -> Iterator[Line]:
    """Cold load and clicks at each size, and the large size against the small one."""
    for what in (COLD, *CLICKS):
        for accounts, figures in found.items():
            yield _against_floor(what, accounts, figures[what])
    for what in TURNS if SMALL in found and LARGE in found else ():
        small, large = median(found[SMALL][what][PORTAL]), median(found[LARGE][what][PORTAL])
        ratio = large / small
        yield Line(f"{what}, 1M against 1k", LARGE, None, None, large, None, ratio, 1.6, "portal at 1k")
    for what in TURNS if LARGE in found else ():
        own, other = median(found[LARGE][what][PORTAL]), median(found[LARGE][what][DJANGO])
        line = f"{what}, against Django's admin"
        yield Line(line, LARGE, None, None, own, None, own / other, 0.25, "Django", other)
    for what in SEARCHES:
        for accounts, figures in found.items():
            yield _without_pause(what, accounts, figures[what])


def _against_floor(what: str, accounts: int, by_server: dict[str, list[float]]) -> Line:
    base, at_most = _target(what, accounts)
    middle = {name: median(by_server[name]) for name in SYSTEMS}
    ratio = middle[PORTAL] / middle[base]
    tail = p95(by_server[PORTAL])
    django = median(by_server[DJANGO]) if by_server.get(DJANGO) else None
    return Line(what, accounts, middle[FLOOR], middle[INDEXED], middle[PORTAL], tail, ratio, at_most, base, django)


def _target(what: str, accounts: int) -> tuple[str, float | None]:
    if what == COLD:
        return {MIDDLE: (FLOOR, 1.5), LARGE: (INDEXED, 2.0)}.get(accounts, (FLOOR, None))
    if what.startswith(SEARCHES):
        return INDEXED, 1.2 if accounts == LARGE else None
    return FLOOR, 1.0


def _without_pause(what: str, accounts: int, by_server: dict[str, list[float]]) -> Line:
    shorter = {name: [time - TYPING_PAUSE_MS for time in by_server[name]] for name in SYSTEMS}
    return _against_floor(f"{what}, without the pause", accounts, shorter)


def wire(found: dict[str, dict[str, Any]], accounts: int) -> Iterator[Line]:
    """Bytes and shift."""
    for what in ("first load", "filter", "next page", "sort", "search"):
        sizes = {name: found[name][what]["bytes"] / 1000 for name in SYSTEMS}
        at_most = 175.0 if what == "first load" else 10.0
        yield _plain(f"{what}, kB over the wire", accounts, sizes, at_most)
    yield _plain("layout shift", accounts, {name: found[name]["layout shift"] for name in SYSTEMS}, 0.05)


def _plain(what: str, accounts: int, sizes: dict[str, float], at_most: float) -> Line:
    return Line(what, accounts, sizes[FLOOR], sizes[INDEXED], sizes[PORTAL], None, sizes[PORTAL], at_most, "itself")


def far(found: Figures, accounts: int) -> Iterator[Line]:
    """Over 60 ms and 20 Mbit/s."""
    for what in (COLD, *CLICKS):
        plain, own = median(found[what][FLOOR]), median(found[what][PORTAL])
        at_most = 2.0 if what == COLD else 1.1
        line = f"{what}, over 60 ms and 20 Mbit/s"
        yield Line(line, accounts, plain, None, own, p95(found[what][PORTAL]), own / plain, at_most, FLOOR)


def answers(found: dict[int, Figures]) -> Iterator[Line]:
    """What an event takes on the server against the floor's request, with the state in memory and in Redis.

    Of the questions that have a target, the one that does worst.
    """
    for name, told, at_most in ((PORTAL, "an event on the server", 0.8), (REDIS, "the same with Redis", 1.3)):
        for accounts, figures in found.items():
            lines = [_answer(f"{told}: {what}", accounts, figures[what], name, at_most) for what in TURNS]
            yield max(lines, key=lambda line: line.ratio)
        for accounts, figures in found.items():
            line = f"{told}: {SEARCH_MANY}"
            yield _answer(line, accounts, figures[SEARCH_MANY], name, None)


def _answer(line: str, accounts: int, figures: dict[str, list[float]], name: str, at_most: float | None) -> Line:
    base = FLOOR if FLOOR in figures else INDEXED
    middle = {server: median(times) for server, times in figures.items()}
    own, plain = middle[name], middle[base]
    tail = p95(figures[name])
    return Line(line, accounts, middle.get(FLOOR), middle[INDEXED], own, tail, own / plain, at_most, base)


def rates(found: dict[int, dict[str, list[float]]]) -> Iterator[Line]:
    """Answers a second; the floor's are those of one process without threads."""
    limits = {PORTAL: ("of one process", 1.2), REDIS: ("of one process with Redis", None)}
    for name, (told, at_most) in (limits | {FOUR: ("of four processes with Redis", None)}).items():
        for accounts, by_server in sorted(found.items()):
            plain, own = median(by_server[INLINE]), median(by_server[name])
            what = f"events a second {told}"
            yield Line(what, accounts, plain, None, own, None, plain / own, at_most, INLINE)


def crowd(found: Crowd) -> Iterator[Line]:
    """Many tabs over four processes, some of which are killed meanwhile; Redis and PostgreSQL start again."""
    what = f"{found.clicks:,} clicks of {found.tabs} tabs"
    for told, number in (("lost", found.lost), ("doubled", found.doubled), ("wrong", found.wrong)):
        yield Line(f"{what}: {told}", 0, None, None, number, None, number, 0.0, "itself")
    yield Line(f"{what}: tabs that needed a reload", 0, None, None, found.stuck, None, found.stuck, 0.0, "itself")
    yield Line("the same, p95 of a click", 0, None, None, found.p95, found.p95, found.p95, 500.0, "itself")
    for told, seconds in found.recovered.items():
        yield Line(f"{told}: every tab answers again, s", 0, None, None, seconds, None, seconds, None, "itself")
    one, all_of_them = found.rates
    line = "events a second of four processes with PostgreSQL and Redis"
    yield Line(line, 0, None, None, all_of_them, None, all_of_them / one, None, "one of them")


def memory(found: dict[str, list[float]], accounts: int) -> Iterator[Line]:
    """Of an idle process beside Django's, and of each open tab."""
    plain, own, django, bare = (median(found[name]) for name in (FLOOR, PORTAL, DJANGO, BARE))
    yield Line("idle process, MB", accounts, plain, None, own, None, own / django, 2.0, DJANGO, django)
    told = "the same of an empty Reflex app with SQLModel"
    yield Line(told, accounts, None, None, bare, None, bare / django, None, DJANGO, django)
    for name, told in ((TAB, "an open tab, kB"), (TAB_REDIS, "an open tab with Redis, kB")):
        middle = median(found[name])
        yield Line(told, accounts, None, None, middle, None, middle, 250.0, "itself")


def lighthouse(found: dict[str, dict[str, list[float]]], accounts: int) -> Iterator[Line]:
    """Scores of 100: of the page that does worst, as a desktop and as a phone sees it."""
    for (category, form), least in LEAST.items():
        scores = {page: median(by[category]) for page, by in found.items() if page.endswith(f", {form}")}
        page = min(scores, key=lambda one: scores[one])
        line = f"Lighthouse, {category}, lowest of {len(scores)} pages: {page}"
        yield Line(line, accounts, None, None, scores[page], None, scores[page], None, "itself", at_least=least)


def others(found: dict[str, list[float]], accounts: int) -> Iterator[Line]:
    """Another person's click, p95, while an operation runs."""
    quiet = p95(found[QUIET])
    yield Line("next page, p95, nobody else at work", accounts, None, None, quiet, quiet, 1.0, None, "itself")
    for name in OPERATIONS:
        busy = p95(found[name])
        what = f"next page, p95, beside half a second of {name}"
        yield Line(what, accounts, None, None, busy, busy, busy / quiet, 1.5, "quiet")


def starts(seconds: list[float]) -> Line:
    """The second start."""
    middle = median(seconds)
    return Line("second start to the first page, s", 60, None, None, middle, p95(seconds), middle, 5.0, "itself")


def audit(found: dict[str, dict[str, list[float]]], lasting: dict[str, float]) -> Iterator[Line]:
    """The audit page's p95 against that of its own statements sent raw; how long the check and the file take.

    Of each question alone, and of all together: where the database takes less than a tenth of a millisecond, the page's
    own tenth is a multiple of it.
    """
    pooled = {who: [one for times in found.values() for one in times[who]] for who in ("page", "raw")}
    for question, times in {"all questions": pooled, **found}.items():
        page, raw = p95(times["page"]), p95(times["raw"])
        yield Line(f"audit page, p95: {question}", LARGE, None, raw, page, page, page / raw, 2.0, "its SQL")
    for what, seconds in lasting.items():
        yield Line(f"audit, {what}", LARGE, None, None, seconds, None, seconds, None, "itself")


def entities(found: dict[str, dict[str, list[float]]], lasting: dict[str, float]) -> Iterator[Line]:
    """A task's page against its own statements sent raw; how long a listing takes."""
    for question, times in found.items():
        page, plain = median(times["page"]), median(times["raw"])
        line = f"entities page: {question}"
        yield Line(line, LARGE // 2, None, plain, page, p95(times["page"]), page / plain, None, "its SQL")
    for what, seconds in lasting.items():
        yield Line(f"10,000 entities, {what}", LARGE // 2, None, None, seconds, None, seconds, None, "itself")


def documents(found: dict[tuple[str, int], tuple[list[float], list[float]]]) -> Iterator[Line]:
    """A bill's files against plain SQL that reads and writes the same rows; then lines a second."""
    for (what, lines), (floor, portal) in found.items():
        plain, own = median(floor), median(portal)
        yield Line(f"bill's {what} by lines", lines, plain, None, own, p95(portal), own / plain, None, FLOOR)
        rates = (1000 * lines / plain, 1000 * lines / own)
        yield Line("the same, lines a second", lines, rates[0], None, rates[1], None, rates[1] / rates[0], None, FLOOR)


def billing(floor: list[float], portal: list[float], rows: int) -> Iterator[Line]:
    """A cycle against plain SQL that writes the same rows; then rows a second."""
    plain, own = median(floor), median(portal)
    yield Line("a cycle's bills, s", 10_000, plain, None, own, p95(portal), own / plain, None, FLOOR)
    rates = (rows / plain, rows / own)
    yield Line("the same, rows a second", 10_000, rates[0], None, rates[1], None, rates[1] / rates[0], None, FLOOR)


def markdown(lines: list[Line]) -> str:
    """The lines of the table, below COLUMNS."""
    return "\n".join(map(_row, lines))


def as_json(lines: list[Line]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [asdict(line) for line in lines]


def from_json(kept: list[dict[str, Any]]) -> list[Line]:
    """The way back."""
    return [Line(**one) for one in kept]


def _row(line: Line) -> str:
    figures = map(_number, (line.floor, line.indexed, line.django, line.portal))
    cells = [line.what, f"{line.accounts:,}" if line.accounts else "", *figures]
    own = line.against == "itself"
    return "| " + " | ".join([*cells, "" if own else f"{line.ratio:.2f}", _limit(line), line.verdict]) + " |"


def _limit(line: Line) -> str:
    if line.at_least is not None:
        return f"at least {line.at_least:g}"
    if line.at_most is None:
        return ""
    against = {"itself": "", INDEXED: " (indexed)"}.get(line.against, f" ({line.against})")
    return f"{line.at_most:g}{against}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"
