"""The smallest parts: icon, link, button, badge, callout."""

from inspect import signature
from typing import Any, Literal

import reflex as rx
from reflex_base.constants.compiler import MemoizationMode
from reflex_base.vars.function import FunctionStringVar
from reflex_components_core.el.elements.inline import A
from reflex_components_core.react_router.dom import ReactRouterLink

from portal_app.times import Moment
from portal_app.ui.kinds import Event, Flag, Kind, KindLike, Node, Text, classes, either

ButtonKind = Literal["primary", "secondary", "danger", "ghost"]
KIND_ICONS: dict[Kind, str] = {
    "green": "circle-check",
    "orange": "triangle-alert",
    "red": "circle-alert",
    "grey": "info",
}
# What a list has in each row is drawn here in one line: of the library's, each stroke is an element to lay out.
DRAWN = {"bin": "M4 7h16M9 7V4h6v3M6.5 7l.8 11.2a2 2 0 0 0 2 1.8h5.4a2 2 0 0 0 2-1.8L17.5 7M10.3 11v5M13.7 11v5"}


def as_one(part: rx.Component) -> rx.Component:
    """Has the part compiled into one component: else each leaf that shows a variable is one, drawn at each change."""
    part._memoization_mode = MemoizationMode(recursive=False)
    return part


def icon(name: str, size: int = 16, *, class_name: str = "") -> rx.Component:
    """An icon of lucide's or our own, decorative: its meaning must stand in words beside it."""
    look: dict[str, Any] = {"class_name": classes("icon", class_name), "custom_attrs": {"aria-hidden": "true"}}
    if name not in DRAWN:
        return rx.icon(name, size=size, **look)
    return rx.el.svg(rx.el.path(d=DRAWN[name]), view_box="0 0 24 24", width=size, height=size, **look)


def visually_hidden(*children: Node, **props: Any) -> rx.Component:
    """Text for screen readers only."""
    return rx.el.span(*children, class_name="hidden-text", **props)


def kbd(text: str) -> rx.Component:
    """A key cap."""
    return rx.el.kbd(text, class_name="kbd")


# With a key held down a link opens elsewhere, and this page stays. (`_e` is what Reflex calls the browser's event.)
_KEY_HELD = rx.Var("(_e.ctrlKey || _e.metaKey || _e.shiftKey)").to(bool)


def dot(kind: KindLike | Literal["accent"]) -> rx.Component:
    """The coloured dot; never alone, a word stands beside it."""
    return rx.el.span(class_name=classes("dot", f"is-{kind}"), aria_hidden="true")


def link(
    *children: Node,
    href: Text,
    external: bool = False,
    download: bool = False,
    class_name: Text = "",
    load: Event = None,
    in_row: bool = False,
    **props: Any,
) -> rx.Component:
    """An anchor. Inside the portal it navigates without a reload; `external` is for other hosts and HTTP endpoints.

    `download` is for files: else the browser makes as if the page were left, which ends its socket.
    With `load` the target is this very page with another question: the address changes and the event answers. An event
    that takes the address has it shown when it has answered (`show_address`).
    `in_row` is for links of which a list has many: the router's own component costs more than the rest of the row.
    """
    if download:
        external, props["download"] = True, ""
    if load is not None:
        steps = [load(href).prevent_default] if "address" in signature(load.fn).parameters else ask(href, load)
        props["on_click"] = lambda _event: [rx.cond(_KEY_HELD, rx.noop(), step) for step in steps]
    elif in_row and not external:
        props["on_click"] = lambda _event: rx.cond(_KEY_HELD, rx.noop(), rx.redirect(href).prevent_default)
    if external or in_row or load is not None:
        # Not rx.el.a: that is the router's link too, which never asks the server.
        return A.create(*children, href=href, class_name=class_name, **props)
    return ReactRouterLink.create(*children, to=href, class_name=class_name, **props)


def ask(href: Text, load: Any, *, replace: bool = False) -> list[Any]:
    """Put the address into the browser and load what it asks for; without the router, which would draw all anew."""
    target, change = rx.Var.create(href), "replaceState" if replace else "pushState"
    put = f"(() => window.history.{change}(window.history.state, '', {target!s}))"
    return [rx.call_function(rx.Var(put, _var_data=target._get_all_var_data())), load().prevent_default]


def show_address(address: rx.Var[str], entry: rx.Var[str], turn: rx.Var[bool]) -> rx.Component:
    """Makes the address the browser's own, by the method of its history that `entry` names, when the answer is painted.

    Before, it would keep the browser and the processor from the answer for some milliseconds. `turn` flips with each
    address: a part of another kind takes the place of the last one, and acts when it is there. It also asks what lies
    at a point, so that the page is laid out while its frame is waited for, not within it.
    """
    put = f"window.history[{entry!s}](window.history.state, '', {address!s})"
    # Within a frame's callback its painting is still to come; by then the page may be another one.
    painted = f"((path) => requestAnimationFrame(() => setTimeout(() => path === location.pathname && {put}, 10)))"
    laid_out = "document.elementFromPoint(0, 0)"
    data = rx.vars.VarData.merge(address._get_all_var_data(), entry._get_all_var_data())
    act = FunctionStringVar.create(f"(() => ({laid_out}, {painted}(location.pathname)))", _var_data=data)
    acting = rx.cond(address != "", rx.cond(turn, rx.el.span(on_mount=act), rx.el.div(on_mount=act)))
    # Within something hidden: what comes and goes among the page's parts has the style of all of them worked out anew.
    return rx.el.div(acting, hidden=True)


def button(
    label: Node,
    *,
    kind: ButtonKind = "secondary",
    icon: str | None = None,
    busy: Flag = False,
    disabled: Flag = False,
    small: bool = False,
    type: Literal["button", "submit", "reset"] = "button",
    **props: Any,
) -> rx.Component:
    """A button. While `busy` it shows a spinner, says so, and cannot be pressed again."""
    lead: list[Node] = [_lead_icon(icon)] if icon else []
    if busy is not False:
        lead = [rx.cond(busy, rx.el.span(class_name="spinner", aria_hidden="true"), *(lead or [rx.fragment()]))]
        props["aria_busy"] = rx.cond(busy, "true", "false")
    return rx.el.button(
        *lead,
        label,
        type=type,
        disabled=either(busy, disabled),
        class_name=classes("button", f"button-{kind}", "button-small" if small else "", props.pop("class_name", "")),
        **props,
    )


def link_button(
    label: Node,
    *,
    href: Text,
    kind: ButtonKind = "secondary",
    icon: str | None = None,
    small: bool = False,
    external: bool = False,
    **props: Any,
) -> rx.Component:
    """An anchor that looks like a button: for going somewhere, not for doing something."""
    return link(
        *([_lead_icon(icon)] if icon else []),
        label,
        href=href,
        external=external,
        class_name=classes("button", f"button-{kind}", "button-small" if small else "", props.pop("class_name", "")),
        **props,
    )


def _lead_icon(name: str) -> rx.Component:
    return icon(name)


def icon_button(
    label: Text, icon: str, *, danger: bool = False, type: Literal["button", "submit"] = "button", **props: Any
) -> rx.Component:
    """A button with an icon only; `label` is its accessible name and its tooltip."""
    props.setdefault("title", label)
    return rx.el.button(
        _lead_icon(icon),
        type=type,
        aria_label=label,
        class_name=classes("icon-button", "icon-button-danger" if danger else "", props.pop("class_name", "")),
        **props,
    )


def tip(text: Text, more: Text, *, class_name: str = "") -> rx.Component:
    """Text that says more while the pointer is on it."""
    return rx.el.span(text, title=more, class_name=classes("tip", class_name))


def instant(moment: rx.Var[Moment]) -> rx.Component:
    """An instant as people read it; its title has it exactly."""
    return tip(moment["text"], moment["exact"])


def badge(kind: KindLike, text: Text, *, pill: bool = False, **props: Any) -> rx.Component:
    """Status as dot and word. `pill` adds tint and border: for page heads, not for dense tables."""
    look = classes("badge", f"is-{kind}", "badge-pill" if pill else "", "tip" if "title" in props else "")
    return rx.el.span(text, class_name=look, **props)


def callout(
    kind: KindLike,
    text: Text,
    *children: Node,
    on_dismiss: Event = None,
    live: bool = True,
) -> rx.Component:
    """The outcome of an act, in a live region that is there before the words are. Empty `text` shows nothing.

    `live=False` is for a standing note that must not be announced.
    """
    box = rx.el.div(
        _kind_icon(kind),
        rx.el.div(rx.el.p(text), *children, class_name="callout-body"),
        icon_button("Dismiss", "x", on_click=on_dismiss) if on_dismiss is not None else rx.fragment(),
        class_name=classes("callout", f"is-{kind}"),
    )
    shown = box if isinstance(text, str) and text else rx.cond(text, box)
    if not live:
        return rx.el.div(shown, class_name="callout-region")
    urgent = kind == "red"
    role = rx.cond(urgent, "alert", "status") if isinstance(urgent, rx.Var) else ("alert" if urgent else "status")
    return rx.el.div(shown, class_name="callout-region", custom_attrs={"role": role})


def _kind_icon(kind: KindLike) -> rx.Component:
    if isinstance(kind, str):
        return icon(KIND_ICONS[kind])
    return rx.fragment(rx.match(kind, *((name, icon(sign)) for name, sign in KIND_ICONS.items()), icon("info")))
