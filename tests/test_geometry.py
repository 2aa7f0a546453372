"""Numbers become shapes: heights add up, nothing is drawn for nothing."""

import re

import pytest

from portal_app.geometry import BASE, TOP, Series, line_chart, nice_top, stacked_bars

PIECE = re.compile(r"M([\d.]+) ([\d.]+)v-([\d.]+)")


def pieces(path: str) -> list[tuple[float, ...]]:
    """x, bottom and height of each piece of a path."""
    return [tuple(map(float, found)) for found in PIECE.findall(path)]


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (1, 1), (7, 8), (99, 100), (101, 120), (5.8e12, 6e12)])
def test_the_axis_ends_at_a_round_number_at_or_above(highest: float, top: float) -> None:
    assert nice_top(highest) == pytest.approx(top)


def test_bars_stand_on_each_other_and_reach_the_total() -> None:
    chart = stacked_bars(["Mon", "Tue"], [Series("Good", "green", [30, 0]), Series("Bad", "red", [70, 50])])
    good, bad = (pieces(shape.path) for shape in chart.shapes)
    assert len(good) == 1
    assert len(bad) == 2
    (_, bottom, height), (_, upper_bottom, upper_height) = good[0], bad[0]
    assert bottom == BASE
    assert height == pytest.approx(0.3 * (BASE - TOP), abs=0.1)
    assert upper_bottom == pytest.approx(bottom - height, abs=1.1)
    assert upper_bottom - upper_height == pytest.approx(TOP, abs=0.2)
    assert bad[1][0] > bad[0][0]


def test_each_day_is_there_in_words() -> None:
    chart = stacked_bars(["Mon", "Tue"], [Series("Good", "green", [1, 2000]), Series("Bad", "red", [0, 3])])
    assert [(row.label, row.cells) for row in chart.rows] == [("Mon", ["1", "0"]), ("Tue", ["2,000", "3"])]
    assert chart.summary == "Good 2,001, Bad 3"
    assert chart.slot == 50


def test_no_values_draw_nothing() -> None:
    assert pieces(stacked_bars(["Mon"], [Series("Good", "green", [0])]).shapes[0].path) == []
    assert line_chart([], []).line == ""


def test_a_line_ends_at_its_last_value() -> None:
    chart = line_chart(["a", "b", "c"], [0, 5, 10])
    assert chart.downs == [BASE, (BASE + TOP) / 2, TOP]
    assert (chart.end_x, chart.end_y, chart.latest) == ("100.000%", TOP, "10")
    assert chart.line.startswith("M0 ")
