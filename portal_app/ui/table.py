"""Tables: columns declared as data, rows from a typed Var; at 640 px and below a row becomes a card."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import reflex as rx

from portal_app.ui.base import as_one, icon, link
from portal_app.ui.kinds import Event, Flag, Node, Text, classes, follows, inline

ColumnKind = Literal["name", "text", "short", "status", "number", "date", "action"]
DEFAULT_ROWS = 25
TICK_WIDTH = "42px"


@dataclass(frozen=True)
class Column:
    """A column. `sort` is its sort key; `on_card` keeps it on the phone; `wide_only` hides it below 1180 px.

    Names and texts are cut where the room ends; a `short` text never is.
    `width` is CSS; in an even table it is a track of a grid.
    """

    label: str
    kind: ColumnKind = "text"
    sort: str = ""
    on_card: bool = True
    wide_only: bool = False
    width: str = ""

    @property
    def look(self) -> str:
        return classes(f"col-{self.kind}", "" if self.on_card else "not-on-card", "wide-only" if self.wide_only else "")


@dataclass(frozen=True)
class Sort:
    """Which column sorts the rows, and how to change it: `href` (key -> address) or `on_sort` (key -> event)."""

    key: Text
    descending: Flag
    href: Callable[[str], Text] | None = None
    on_sort: Callable[[str], Event] | None = None
    load: Event = None


@dataclass(frozen=True)
class Ticks:
    """The tick column. The functions get the row's Var; `some` is shown as a dash in the head."""

    ticked: Callable[[Any], rx.Var[bool]]
    on_tick: Callable[[Any], Event]
    label: Callable[[Any], Text]
    all_ticked: Flag
    on_all: Event
    some_ticked: Flag = False


def table(
    caption: str,
    columns: Sequence[Column],
    rows: rx.Var,
    cells: Callable[[Any], Sequence[Node]],
    *,
    row_key: Callable[[Any], Any] | None = None,
    sort: Sort | None = None,
    ticks: Ticks | None = None,
    loading: Flag = False,
    waiting: rx.Component | None = None,
    busy: Flag = False,
    empty: rx.Component | None = None,
    foot: rx.Component | None = None,
    reserve: int = DEFAULT_ROWS,
    linked: bool = False,
    even: bool = False,
    id: str = "",
) -> rx.Component:
    """A whole table. `cells(row)` gives one node per column; `loading` shows a skeleton, `busy` dims the old rows.

    `waiting` is the table's body while loading, instead of the skeleton.

    `linked`: a row has a `row_link`, which a click on anything else in the row follows.

    `even`: columns are as wide as they say, whatever the rows hold; the browser lays out such rows one by one.

    `foot` (a pager) stands inside the frame, below the rows; it is not shown while loading.
    """
    width = len(columns) + (1 if ticks else 0)
    body = rx.foreach(rows, lambda row: _row(columns, cells(row), row, row_key, ticks))
    body = rx.el.tbody(body, role="rowgroup")
    tracks = _tracks(columns, ticks) if even else None
    columns = [replace(column, width="") for column in columns] if even else columns
    full = rx.fragment(
        _frame(caption, columns, body, sort=sort, ticks=ticks, id=id, tracks=tracks), foot or rx.fragment()
    )
    shown = full if empty is None else rx.cond(rows.length() > 0, full, empty)
    if loading is not False:
        rest = rx.el.tbody(skeleton_rows(reserve, width), role="rowgroup") if waiting is None else waiting
        shown = rx.cond(loading, _frame(caption, columns, rest, sort=sort, ticks=ticks, id=id, tracks=tracks), shown)
    look = classes("table-wrap", "linked" if linked else "")
    return rx.el.div(shown, class_name=look, aria_busy=_word(loading, busy))


def _word(loading: Flag, busy: Flag) -> Text:
    flags = [flag for flag in (loading, busy) if flag is not False]
    if not flags:
        return "false"
    return rx.cond(flags[0] if len(flags) == 1 else rx.Var.create(flags[0]) | flags[1], "true", "false")


def _frame(
    caption: str,
    columns: Sequence[Column],
    body: rx.Component,
    *,
    sort: Sort | None,
    ticks: Ticks | None,
    id: str,
    tracks: dict[str, Any] | None,
) -> rx.Component:
    head = [head_cell(column, sort) for column in columns]
    if ticks:
        head.insert(0, _tick_head(ticks))
    return rx.el.table(
        rx.el.caption(caption, class_name="hidden-text"),
        as_one(rx.el.thead(rx.el.tr(*head, role="row"), role="rowgroup")),
        body,
        class_name=classes("table", "table-even" if tracks else ""),
        role="table",
        **({"id": id} if id else {}),
        **({"custom_attrs": tracks} if tracks else {}),
    )


def _tracks(columns: Sequence[Column], ticks: Ticks | None) -> dict[str, Any]:
    """The widths of all columns, and of those that a narrow page shows."""
    ticked = [TICK_WIDTH] if ticks else []
    wide = [*ticked, *(column.width for column in columns)]
    narrow = [*ticked, *(column.width for column in columns if not column.wide_only)]
    return inline(**{"--columns": " ".join(wide), "--columns-narrow": " ".join(narrow)})


def head_cell(column: Column, sort: Sort | None = None) -> rx.Component:
    """A header cell; with a sort key it holds the link or button that sorts, and `aria-sort`."""
    props: dict[str, Any] = {"scope": "col", "role": "columnheader", "class_name": column.look}
    if column.width:
        props["custom_attrs"] = inline(width=column.width)
    if column.kind == "action":
        return rx.el.th(rx.el.span(column.label, class_name="hidden-text"), **props)
    if sort is None or not column.sort:
        return rx.el.th(column.label, **props)
    direction = rx.cond(sort.descending, "descending", "ascending")
    props["aria_sort"] = rx.cond(sort.key == column.sort, direction, "none")
    return rx.el.th(_sorter(column, sort), **props)


def _sorter(column: Column, sort: Sort) -> rx.Component:
    parts = (column.label, icon("arrow-up", 14))
    if sort.href is not None:
        return link(*parts, href=sort.href(column.sort), load=sort.load, class_name="sort")
    on_click = sort.on_sort(column.sort) if sort.on_sort else None
    return rx.el.button(*parts, type="button", class_name="sort", on_click=on_click)


def _tick_head(ticks: Ticks) -> rx.Component:
    box = rx.el.input(
        type="checkbox",
        class_name="tick",
        default_checked=ticks.all_ticked,
        on_change=ticks.on_all,
        custom_attrs=follows("checked", ticks.all_ticked),
        aria_label="Select all rows on this page",
        data_some=rx.cond(ticks.some_ticked, "true", "false"),
    )
    return rx.el.th(box, scope="col", role="columnheader", class_name="col-tick")


def _row(
    columns: Sequence[Column],
    nodes: Sequence[Node],
    row: Any,
    row_key: Callable[[Any], Any] | None,
    ticks: Ticks | None,
) -> rx.Component:
    cells = [cell(column, node) for column, node in zip(columns, nodes, strict=True)]
    props: dict[str, Any] = {"key": row_key(row)} if row_key else {}
    if ticks:
        cells.insert(0, _tick_cell(ticks, row))
        props["data_ticked"] = rx.cond(ticks.ticked(row), "true", "false")
    return rx.el.tr(*cells, role="row", **props)


def cell(column: Column, node: Node) -> rx.Component:
    """A body cell; its label comes along for the card on a phone."""
    return rx.el.td(node, class_name=column.look, role="cell", data_label=column.label)


def _tick_cell(ticks: Ticks, row: Any) -> rx.Component:
    box = rx.el.input(
        type="checkbox",
        class_name="tick",
        default_checked=ticks.ticked(row),
        on_change=ticks.on_tick(row),
        custom_attrs=follows("checked", ticks.ticked(row)),
        aria_label=ticks.label(row),
    )
    return rx.el.td(box, class_name="col-tick", role="cell")


def row_link(text: Text, href: Text, *, external: bool = False, **props: Any) -> rx.Component:
    """The row's main link: a click anywhere on the row follows it, a middle click opens a tab."""
    return link(text, href=href, external=external, in_row=True, class_name="row-link cut", title=text, **props)


def cut(text: Text, **props: Any) -> rx.Component:
    """Text on one line, cut where the column ends, whole in its title."""
    return rx.el.span(text, class_name="cut", title=text, **props)


def skeleton_rows(count: int, columns: int) -> rx.Component:
    """Grey bars at the height of real rows; nothing for screen readers (the table is aria-busy).

    One cell with a pattern: hundreds of elements would have to be made, and thrown away when the rows come.
    """
    bars = rx.el.td(col_span=columns, class_name="skeleton-rows", custom_attrs=inline(**{"--rows": count}))
    return rx.el.tr(bars, class_name="skeleton-row", custom_attrs={"aria-hidden": "true"})
