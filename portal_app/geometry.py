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
class Mark:
    """A piece of one bar."""

    x: str
    width: str
    y: float
    height: float
    look: str


@dataclass(frozen=True)
class Bar:
    """A day: its pieces, the words of its tooltip, and the column that reacts to the pointer."""

    title: str
    x: str
    width: str
    marks: list[Mark]


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
class Dot:
    """A point of a line with the words of its tooltip."""

    title: str
    x: str
    y: float


@dataclass(frozen=True)
class Row:
    """A line of the table for screen readers."""

    label: str
    cells: list[str]


@dataclass(frozen=True)
class BarChart:
    """Stacked bars, ready to draw."""

    bars: list[Bar] = field(default_factory=list)
    legend: list[Key] = field(default_factory=list)
    x_ticks: list[Tick] = field(default_factory=list)
    y_ticks: list[Tick] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True)
class LineChart:
    """A line over its area, ready to draw; the paths live in a box of 100 x PLOT_HEIGHT."""

    line: str = ""
    area: str = ""
    dots: list[Dot] = field(default_factory=list)
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
    bars = [_bar(i, label, series, top, slot, words=words) for i, label in enumerate(labels)]
    return BarChart(
        bars=bars,
        legend=[Key(f"is-{one.look}", one.label, words(sum(one.values))) for one in series],
        x_ticks=_x_ticks(labels, lambda i: LEFT + slot * (i + 0.5)),
        y_ticks=_y_ticks(top, words),
        rows=[Row(label, [words(one.values[i]) for one in series]) for i, label in enumerate(labels)],
        headings=[one.label for one in series],
        summary=", ".join(f"{one.label} {words(sum(one.values))}" for one in series),
    )


def _bar(
    i: int, label: str, series: Sequence[Series], top: float, slot: float, *, words: Callable[[float], str]
) -> Bar:
    marks: list[Mark] = []
    y = float(BASE)
    for one in series:
        height = round((BASE - TOP) * one.values[i] / top, 2)
        if height <= 0:
            continue
        y -= height
        gap = 1.0 if marks and height > 2 else 0.0
        marks.append(
            Mark(
                _percent(LEFT + slot * (i + 0.16)),
                _percent(slot * 0.68),
                round(y, 2),
                round(height - gap, 2),
                f"bar is-{one.look}",
            )
        )
    parts = ", ".join(f"{one.label} {words(one.values[i])}" for one in series if one.values[i])
    return Bar(f"{label}: {parts or 'none'}", _percent(LEFT + slot * i), _percent(slot), marks)


def line_chart(labels: Sequence[str], values: Sequence[float], *, words: Callable[[float], str] = grouped) -> LineChart:
    """One line from zero up, its last value named at its end."""
    if not values:
        return LineChart(y_ticks=_y_ticks(1, words))
    top = nice_top(max(values))
    step = (RIGHT - LEFT) / max(len(values) - 1, 1)
    spots = [(LEFT + step * i, round(BASE - (BASE - TOP) * value / top, 2)) for i, value in enumerate(values)]
    line = "M" + " L".join(f"{x:.3f} {y}" for x, y in spots)
    return LineChart(
        line=line,
        area=f"{line} L{spots[-1][0]:.3f} {BASE} L{spots[0][0]:.3f} {BASE} Z",
        dots=[
            Dot(f"{label}: {words(value)}", _percent(x), y)
            for label, value, (x, y) in zip(labels, values, spots, strict=True)
        ],
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
