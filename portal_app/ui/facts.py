"""The head of a page: labels with their values."""

from typing import Any

import reflex as rx

from portal_app.facts import Fact
from portal_app.ui.kinds import Flag


def facts(lines: rx.Var[list[Fact]], *, loading: Flag, waiting: int) -> rx.Component:
    """The facts; `waiting` grey ones in their place while they load."""
    return rx.cond(loading, rx.foreach(list(range(waiting)), _waiting), rx.foreach(lines, _fact))


def bone() -> rx.Component:
    """The grey bar in the place of a value that is on its way."""
    return rx.el.span(class_name="skeleton")


def _fact(fact: rx.Var[Fact]) -> rx.Component:
    return rx.el.div(rx.el.dt(fact["label"]), rx.el.dd(fact["text"], title=fact["exact"]))


def _waiting(_number: Any) -> rx.Component:
    return rx.el.div(rx.el.dt("\u00a0"), rx.el.dd(bone()), aria_hidden="true")
