"""Turns numbers into chart geometry. Pure: no reflex. Across is in per cent of the width, down is in pixels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

PLOT_HEIGHT = 168
TOP = 12
BASE = PLOT_HEIGHT - 24
LEFT = 0.0
RIGHT = 100.0


@dataclass(frozen=True)
class Shape:
    """All pieces of one series as one path in a box of 100 x PLOT_HEIGHT; `look` is its ink."""

    look: str
    path: str


@dataclass(frozen=True)
class Tick:
    """A word on an axis: `at` is per cent across ("12.5%") or pixels down ("84"); `anchor` is start, middle or end."""

    at: str
    label: str
    anchor: str


@dataclass(frozen=True)
class Key:
    """A series: its ink, its name, its total in words."""

    look: str
    label: str
    total: str


@dataclass(frozen=True)
class Row:
    """A line of the table for screen readers."""

    label: str
    cells: list[str]


@dataclass(frozen=True)
class BarChart:
    """Stacked bars, ready to draw as upright strokes `bar` wide. A day takes `slot` per cent of the width."""

    shapes: list[Shape] = field(default_factory=list)
    slot: float = 0.0
    bar: float = 0.0
    legend: list[Key] = field(default_factory=list)
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True)
class LineChart:
    """A line over its area, ready to draw; the paths live in a box of 100 x PLOT_HEIGHT.

    A point takes `slot` per cent of the width and lies `downs` pixels down.
    """

    line: str = ""
    floor: str = ""
    slot: float = 0.0
    downs: list[float] = field(default_factory=list)
    end_x: str = "0%"
    end_y: float = 0.0
    latest: str = ""
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True)
class Series:
    """What to stack: `look` is a status colour or "accent"; one value per label."""

    label: str
    look: str
    values: Sequence[float]


def grouped(value: float) -> str:
    """1234567 -> "1,234,567"."""
    return f"{value:,.0f}"


def nice_top(highest: float) -> float:
    """The round number at or above `highest`: 1, 1.2, 1.6, 2, 4, 6, 8 or 10 times a power of ten; its half is round."""
    if highest <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(highest))
    return next(step * power for step in (1, 1.2, 1.6, 2, 4, 6, 8, 10) if step * power >= highest * 0.999999)


def stacked_bars(
    labels: Sequence[str], series: Sequence[Series], *, words: Callable[[float], str] = grouped
) -> BarChart:
    """Days across, outcomes stacked in the order given (the first lies at the bottom)."""
    totals = [sum(one.values[i] for one in series) for i in range(len(labels))]
    top = nice_top(max(totals, default=0))
    slot = (RIGHT - LEFT) / max(len(labels), 1)
    bottoms = [float(BASE)] * len(labels)
    return BarChart(
        shapes=[Shape(f"bar is-{one.look}", _bars(one.values, bottoms, top, slot)) for one in series],
        slot=round(slot, 4),
        bar=round(slot * 0.68, 2),
        legend=[Key(f"is-{one.look}", one.label, words(sum(one.values))) for one in series],
        x_ticks=_x_ticks(labels, lambda i: LEFT + slot * (i + 0.5)),
        y_ticks=_y_ticks(top, words),
        rows=[Row(label, [words(one.values[i]) for one in series]) for i, label in enumerate(labels)],
        summary=", ".join(f"{one.label} {words(sum(one.values))}" for one in series),
    )


def _bars(values: Sequence[float], bottoms: list[float], top: float, slot: float) -> str:
    """One series as a path; raises the bottoms that the next one stands on."""
    pieces = []
    for i, value in enumerate(values):
        height = round((BASE - TOP) * value / top, 1)
        if height <= 0:
            continue
        # A pixel of air between two pieces, where there is room for it.
        air = 1.0 if bottoms[i] < BASE and height > 2 else 0.0
        middle = round(LEFT + slot * (i + 0.5), 2)
        pieces.append(f"M{middle:g} {round(bottoms[i] - air, 1):g}v{round(air - height, 1):g}")
        bottoms[i] -= height
    return "".join(pieces)


def line_chart(labels: Sequence[str], values: Sequence[float], *, words: Callable[[float], str] = grouped) -> LineChart:
    """One line from zero up, its last value named at its end."""
    if not values:
        return LineChart(y_ticks=_y_ticks(1, words))
    top = nice_top(max(values))
    step = (RIGHT - LEFT) / max(len(values) - 1, 1)
    spots = [(LEFT + step * i, round(BASE - (BASE - TOP) * value / top, 1)) for i, value in enumerate(values)]
    line = "M" + "L".join(f"{round(x, 2):g} {y:g}" for x, y in spots)
    return LineChart(
        line=line,
        floor=f"L{spots[-1][0]:g} {BASE}L{spots[0][0]:g} {BASE}Z",
        slot=round(step, 4),
        downs=[y for _, y in spots],
        end_x=_percent(spots[-1][0]),
        end_y=spots[-1][1],
        latest=words(values[-1]),
        x_ticks=_x_ticks(labels, lambda i: LEFT + step * i, edges=True),
        y_ticks=_y_ticks(top, words),
        rows=[Row(label, [words(value)]) for label, value in zip(labels, values, strict=True)],
        summary=f"{labels[0]} {words(values[0])}, {labels[-1]} {words(values[-1])}",
    )


def _percent(value: float) -> str:
    return f"{value:.3f}%"


def _y_ticks(top: float, words: Callable[[float], str]) -> list[Tick]:
    spots = [(0.0, BASE), (top / 2, (BASE + TOP) / 2), (top, TOP)]
    if words(top / 2) in (words(0), words(top)):
        del spots[1]
    return [Tick(f"{y:.0f}", words(value), "end") for value, y in spots]


def _x_ticks(labels: Sequence[str], place: Callable[[int], float], *, edges: bool = False) -> list[Tick]:
    """Four or five words, the first and the last among them."""
    count = len(labels)
    if not count:
        return []
    chosen = sorted({round(i * (count - 1) / 4) for i in range(5)}) if count > 5 else range(count)
    ticks = []
    for i in chosen:
        anchor = "start" if i == 0 and (count > 1 or edges) else "end" if edges and i == count - 1 else "middle"
        at = LEFT if anchor == "start" else place(i)
        ticks.append(Tick(_percent(at), labels[i], anchor))
    return ticks
