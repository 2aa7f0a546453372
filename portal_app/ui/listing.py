"""What stands round a table: search, filters, chips, the bar for bulk actions, the pager; and a list with all of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from portal_app.paging import PAGE_SIZES
from portal_app.ui.base import as_one, ask, button, icon_button, link_button
from portal_app.ui.choice import Option, bare_select, option
from portal_app.ui.empty import empty_state
from portal_app.ui.field import search_input
from portal_app.ui.kinds import Event, Flag, Node, Number, Text, follows
from portal_app.ui.table import Column, Sort, table

_ASK = """(name, value, without, path) => {
  const asked = new URLSearchParams(location.search);
  for (const one of without) asked.delete(one);
  if (value) asked.set(name, value); else asked.delete(name);
  return (path || location.pathname) + (asked.size ? "?" + asked : "");
}"""


def ask_for(
    load: Any, name: str, value: Text = "", *, without: Sequence[str] = ("page",), path: str = "", replace: bool = True
) -> Any:
    """Go to the address as it stands in the browser, with one value changed, and without what no longer fits.

    `path` is the page's own, where the slash that the server adds to it is not to stay.
    """
    href = rx.Var(f"({_ASK})({name!r}, {rx.Var.create(value)!s}, {list(without)!r}, {path!r})").to(str)
    return ask(href, load, replace=replace)


@dataclass(frozen=True)
class Filter:
    """A select above a list: its name in the address, what is chosen, and the words of each choice.

    Choices that only the server knows are a Var of Options, the one for all first; each is named by its value.
    """

    label: str
    name: str
    value: rx.Var[str]
    words: Mapping[str, str] | rx.Var[list[Option]]


@dataclass(frozen=True)
class Bulk:
    """What can be done with the rows that are ticked; `text` says how many ("3 selected")."""

    shown: Flag
    text: Text
    actions: Sequence[Node]
    on_clear: Event


def choices(label: str, words: Mapping[str, str]) -> list[Option]:
    """The choices of a filter, with the one for all."""
    return [option("", f"{label}: all"), *(option(value, text) for value, text in words.items())]


def listing(
    state: Any,
    title: str,
    columns: Sequence[Column],
    cells: Callable[[Any], Sequence[Node]],
    *,
    loading: rx.Var[bool],
    path: Text,
    placeholder: str,
    no_match: tuple[str, str, str],
    filters: Sequence[Filter] = (),
    empty: rx.Component | None = None,
    tools: Sequence[rx.Component] = (),
    bulk: Bulk | None = None,
    **shown: Any,
) -> rx.Component:
    """A list by its address: toolbar, chips, table and pager. `state` is a `shell.listing.ListState` with `lines`.

    `no_match`: title, text, and the words of the link that asks for all again.
    """

    def answer(name: str, value: Text = "") -> Any:
        return ask_for(state.answer, name, value)

    nothing = empty_state("search-x", *no_match[:2], link_button(no_match[2], href=path, load=state.answer))
    return rx.el.section(
        rx.el.div(
            search_input(
                "Search",
                value=state.search,
                on_change=lambda words: answer("search", words),
                on_clear=answer("search"),
                placeholder=placeholder,
            ),
            *(_select(one, answer) for one in filters),
            *tools,
            class_name="tools",
        ),
        list_head(rx.cond(loading, title, state.count), _chips(state, filters, path, answer), bulk),
        table(
            title,
            columns,
            state.lines,
            cells,
            row_key=lambda line: line["id"],
            sort=Sort(state.sort, state.descending, href=lambda key: state.sort_hrefs[key], load=state.answer),
            loading=loading,
            empty=nothing if empty is None else rx.cond(state.filtered, nothing, empty),
            foot=pager(
                state.page,
                state.pages,
                state.size,
                on_size=lambda size: answer("size", size),
                previous=state.previous_href,
                next=state.next_href,
                by_link=True,
                load=state.answer,
            ),
            **shown,
        ),
        rx.window_event_listener(on_popstate=state.answer),
        class_name="stack",
        aria_label=title,
    )


def _select(one: Filter, answer: Callable[[str, Text], Any]) -> rx.Component:
    words = one.words
    if not isinstance(words, rx.Var):
        words = choices(one.label, words)
    return bare_select(
        one.label, f"filter-{one.name}", words, value=one.value, on_change=lambda chosen: answer(one.name, chosen)
    )


def _chips(state: Any, filters: Sequence[Filter], path: Text, answer: Callable[..., Any]) -> rx.Component:
    return rx.cond(
        state.filtered,
        rx.el.div(
            rx.cond(state.search != "", filter_chip("Search: " + state.search, answer("search"))),
            *(rx.cond(one.value != "", filter_chip(_chosen(one), answer(one.name))) for one in filters),
            link_button("Clear all", href=path, load=state.answer, kind="ghost", small=True),
            class_name="chips",
        ),
    )


def _chosen(one: Filter) -> rx.Var[str]:
    words = one.value if isinstance(one.words, rx.Var) else rx.match(one.value, *one.words.items(), "")
    return f"{one.label}: " + words.to(str)


def filter_chip(label: Text, on_remove: Event) -> rx.Component:
    """A filter that is on, with the button that takes it off."""
    return rx.el.span(
        rx.el.span(label, class_name="cut", title=label),
        icon_button(f"Remove filter {label}", "x", on_click=on_remove),
        class_name="chip",
    )


def list_head(heading: Text, chips: rx.Component, bulk: Bulk | None = None) -> rx.Component:
    """How many rows a list has, and the filters that are on; when rows are ticked, what can be done with them instead.

    It is as high with either as with none: the rows below stay where they are.
    """
    line = rx.el.div(
        rx.el.h2(heading, custom_attrs={"aria-live": "polite"}),
        chips,
        class_name="list-line",
    )
    if bulk is None:
        return rx.el.div(line, class_name="list-head")
    bar = rx.el.div(
        rx.el.span(bulk.text, class_name="strong num", custom_attrs={"role": "status"}),
        button("Clear selection", kind="ghost", small=True, on_click=bulk.on_clear),
        rx.el.div(*bulk.actions, class_name="bulk-actions"),
        class_name="bulk",
    )
    return rx.el.div(line, bar, class_name="list-head", data_open=rx.cond(bulk.shown, "true", "false"))


def pager(
    page: Number,
    pages: Number,
    size: Number,
    *,
    on_size: Event,
    previous: Text | Event,
    next: Text | Event,
    by_link: bool = False,
    load: Event = None,
    sizes: Sequence[int] = PAGE_SIZES,
    name: str = "page-size",
) -> rx.Component:
    """Page size, Previous, "Page 3 of 40", Next. `previous` and `next` are events, or addresses with `by_link`."""
    whole = rx.el.nav(
        _sizes(size, on_size, sizes, name),
        rx.el.div(
            _step("Previous", previous, _number(page) <= 1, by_link, load),
            rx.el.span("Page ", page, " of ", pages, class_name="num"),
            _step("Next", next, _number(page) >= _number(pages), by_link, load),
            class_name="pager-steps",
        ),
        class_name="pager",
        aria_label="Pages",
    )
    return as_one(whole)


def steps(
    size: Number,
    *,
    on_size: Event,
    previous: rx.Var[str],
    next: rx.Var[str],
    load: Event,
    name: str = "page-size",
    back: str = "Previous",
) -> rx.Component:
    """A pager of a list whose pages are not numbered. `previous` and `next` are addresses; empty at the end."""
    return rx.el.nav(
        _sizes(size, on_size, PAGE_SIZES, name),
        rx.el.div(
            _step(back, previous, previous == "", True, load),
            _step("Next", next, next == "", True, load),
            class_name="pager-steps",
        ),
        class_name="pager",
        aria_label="Pages",
    )


def short_pager(
    page: Number, pages: Number, *, before: Text, after: Text, load: Event, label: str = "Pages"
) -> rx.Component:
    """Previous, "Page 3 of 40", Next; nothing where there is one page only. `before` and `after` are addresses."""
    return rx.cond(
        _number(pages) > 1,
        rx.el.nav(
            rx.el.div(
                rx.cond(_number(page) > 1, link_button("Previous", href=before, load=load, small=True)),
                rx.el.span("Page ", page, " of ", pages, class_name="num"),
                rx.cond(_number(page) < _number(pages), link_button("Next", href=after, load=load, small=True)),
                class_name="pager-steps",
            ),
            class_name="pager",
            aria_label=label,
        ),
        rx.fragment(),
    )


def _sizes(size: Number, on_size: Event, sizes: Sequence[int], name: str) -> rx.Component:
    return rx.el.div(
        rx.el.label("Rows per page", html_for=name),
        rx.el.select(
            *(rx.el.option(str(n), value=str(n)) for n in sizes),
            id=name,
            name=name,
            default_value=f"{size}",
            on_change=on_size,
            class_name="control",
            custom_attrs=follows("value", f"{size}"),
        ),
        class_name="pager-size",
    )


def _number(value: Number) -> rx.vars.NumberVar:
    return rx.Var.create(value).to(int)


def _step(label: str, target: Text | Event, at_end: rx.Var[bool], by_link: bool, load: Event) -> rx.Component:
    if not by_link:
        return button(label, small=True, on_click=target, disabled=at_end)
    live = link_button(label, href=target, load=load, small=True)
    dead = rx.el.span(label, class_name="button button-secondary button-small", aria_disabled="true", role="link")
    return rx.cond(at_end, dead, live)
