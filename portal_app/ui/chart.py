"""Charts as plain SVG from ready geometry (`portal_app.geometry`), each with a table for screen readers."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from portal_app import geometry
from portal_app.ui.base import visually_hidden
from portal_app.ui.kinds import Flag, Text, classes, inline

svg = rx.el.svg


def bar_chart(
    title: str,
    chart: rx.Var[geometry.BarChart],
    headings: Sequence[str],
    *,
    first_heading: str = "Day",
    loading: Flag = False,
) -> rx.Component:
    """Stacked bars: days across, outcomes (`headings`, in the order of the series) up. The totals stand in the key."""
    look = classes("chart-key", "of-several" if len(headings) > 1 else "")
    key = rx.el.ul(rx.foreach(chart.legend, _key), class_name=look)
    wide = inline(strokeWidth=chart.bar)
    shapes = rx.foreach(chart.shapes, lambda shape: svg.path(d=shape.path, class_name=shape.look, custom_attrs=wide))
    hits = rx.foreach(chart.rows, lambda row, i: _day(row, i, chart.slot, headings))
    plot = _plot(title, chart, _stretched(shapes), hits)
    return _figure(title, key, plot, _table(title, first_heading, headings, chart.rows), loading)


def line_chart(
    title: str,
    chart: rx.Var[geometry.LineChart],
    *,
    value_heading: str,
    first_heading: str = "Day",
    loading: Flag = False,
) -> rx.Component:
    """One line over its area; the latest value stands in the head and as a dot at the line's end."""
    latest = rx.el.span(chart.latest, class_name="chart-latest")
    shapes = _stretched(
        svg.path(d=chart.line + chart.floor, class_name="series-area"), svg.path(d=chart.line, class_name="series-line")
    )
    end = rx.cond(chart.line, svg.circle(cx=chart.end_x, cy=chart.end_y.to_string(), r="4", class_name="series-end"))
    dots = rx.foreach(chart.rows, lambda row, i: _dot(row, _percent(i, chart.slot), chart.downs[i]))
    plot = _plot(title, chart, shapes, end, dots)
    return _figure(title, latest, plot, _table(title, first_heading, [value_heading], chart.rows), loading)


def _stretched(*shapes: rx.Component) -> rx.Component:
    """Shapes of a box of 100 x PLOT_HEIGHT, as wide as the chart is."""
    return svg(
        *shapes,
        view_box=f"0 0 100 {geometry.PLOT_HEIGHT}",
        preserve_aspect_ratio="none",
        width="100%",
        height=str(geometry.PLOT_HEIGHT),
    )


def _percent(i: rx.Var[int], slot: rx.Var[float]) -> rx.Var[str]:
    return (i.to(float) * slot.to(float)).to_string() + "%"


def _figure(title: str, aside: rx.Component, plot: rx.Component, table: rx.Component, loading: Flag) -> rx.Component:
    height = f"{geometry.PLOT_HEIGHT}px"
    if loading is not False:
        bone = rx.el.div(class_name="skeleton chart-skeleton", custom_attrs=inline(height=height))
        plot = rx.cond(loading, bone, plot)
    return rx.el.figure(
        rx.el.div(rx.el.h2(title), aside, class_name="chart-head"),
        rx.el.div(plot, custom_attrs=inline(height=height)),
        table,
        class_name="chart card",
    )


def _plot(title: str, chart: Any, *shapes: rx.Component) -> rx.Component:
    drawing = svg(
        svg.title(f"{title}: {chart.summary}"),
        rx.foreach(chart.y_ticks, _y_tick),
        rx.foreach(chart.x_ticks, _x_tick),
        *shapes,
        width="100%",
        height=str(geometry.PLOT_HEIGHT),
        class_name="plot",
        role="img",
    )
    words = rx.el.div(rx.foreach(chart.y_ticks, _y_word), class_name="plot-scale", aria_hidden="true")
    return rx.el.div(drawing, words, class_name="plot-box")


def _y_tick(tick: rx.Var[geometry.Tick]) -> rx.Component:
    return svg.line(x1="0", x2="100%", y1=tick.at, y2=tick.at, class_name="gridline")


def _y_word(tick: rx.Var[geometry.Tick]) -> rx.Component:
    return rx.el.span(tick.label, custom_attrs=inline(translate=f"0 calc({tick.at}px - 50%)"))


def _x_tick(tick: rx.Var[geometry.Tick]) -> rx.Component:
    y = str(geometry.PLOT_HEIGHT - 4)
    return svg.text(tick.label, x=tick.at, y=y, custom_attrs={"textAnchor": tick.anchor})


def _day(row: rx.Var[geometry.Row], i: rx.Var[int], slot: rx.Var[float], headings: Sequence[str]) -> rx.Component:
    """The column that reacts to the pointer, with the day's figures in words."""
    words: Any = row.label
    for place, heading in enumerate(headings):
        words = words + f"{', ' if place else ': '}{heading} " + row.cells[place]
    column = {"x": _percent(i, slot), "width": slot.to_string() + "%"}
    return svg.rect(svg.title(words), **column, y="0", height=str(geometry.BASE), class_name="bar-hit")


def _dot(row: rx.Var[geometry.Row], across: rx.Var[str], down: rx.Var[float]) -> rx.Component:
    return svg.g(
        svg.title(row.label + ": " + row.cells[0]),
        svg.circle(cx=across, cy=down.to_string(), r="10", class_name="bar-hit"),
        svg.circle(cx=across, cy=down.to_string(), r="3.5", class_name="series-dot"),
    )


def _key(key: rx.Var[geometry.Key]) -> rx.Component:
    return rx.el.li(
        rx.el.span(class_name=classes("dot", key.look), aria_hidden="true"),
        rx.el.span(key.label),
        rx.el.span(key.total, class_name="strong"),
    )


def _table(title: str, first: str, headings: Sequence[str], rows: rx.Var[list[geometry.Row]]) -> rx.Component:
    heads = [rx.el.th(text, scope="col") for text in headings]
    return visually_hidden(
        rx.el.table(
            rx.el.caption(title),
            rx.el.thead(rx.el.tr(rx.el.th(first, scope="col"), *heads)),
            rx.el.tbody(rx.foreach(rows, _table_row)),
        )
    )


def _table_row(row: rx.Var[geometry.Row]) -> rx.Component:
    return rx.el.tr(rx.el.th(row.label, scope="row"), rx.foreach(row.cells, rx.el.td))


def caption(text: Text) -> rx.Component:
    """A line below a chart: what it counts, up to when."""
    return rx.el.p(text, class_name="small muted")
