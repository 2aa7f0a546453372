"""The frame: navigation at the left, header above, the page between; and what shows when the page can't."""

from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar
from reflex_components_core.core.banner import has_connection_errors

from portal_app.auth.state import SessionState
from portal_app.billing.banners import Banner
from portal_app.shell.confirm import confirm_dialog
from portal_app.shell.forms import native_form
from portal_app.shell.help import help_text
from portal_app.shell.navigation import BILLING, NEWS, OPERATOR_GROUPS, NavLink
from portal_app.shell.state import NoticeState, ShellState
from portal_app.ui import (
    button,
    callout,
    hide_popover,
    icon,
    icon_button,
    link,
    link_button,
    popover,
    search_input,
    visually_hidden,
)
from portal_app.ui.brand import NAME, PRODUCT, brand_sign, legal_links, support_link
from portal_app.ui.kinds import classes

# Reflex gives the key and what was held with it; the event comes last.
FOCUS_SEARCH = """(key, held, event) => {
  const field = document.getElementById("global-search");
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName);
  const asked = (key.toLowerCase() === "k" && (held.ctrl_key || held.meta_key)) || (key === "/" && !typing);
  if (field && asked && !document.querySelector("dialog[open]")) { event.preventDefault(); field.select(); }
}"""

# Without moving the page: only the row of tabs scrolls.
SHOW_TAB = """() => {
  const row = document.querySelector("#console-tabs > .tabs");
  const open = [...row?.querySelectorAll("a") ?? []].filter((one) => location.pathname.startsWith(one.pathname));
  const tab = open.sort((a, b) => a.pathname.length - b.pathname.length).at(-1)?.getBoundingClientRect();
  const place = row?.getBoundingClientRect();
  if (tab) row.scrollLeft += tab.left - place.left - (place.width - tab.width) / 2;
}"""


def document_title(page: str) -> rx.Var[str]:
    """The title of the browser's tab."""
    return rx.Var.create(f"{page} · {NAME}")


def portal_page(
    route: str, title: str, *, load: Any, help_topic: str
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Registers a page inside the frame. `load` must call `shell.state.enter` first."""

    def wrap(content: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
        def framed() -> rx.Component:
            return frame(content(), title, help_topic)

        _belongs_to(content, framed)
        rx.page(route=route, title=document_title(title), on_load=load)(framed)
        return content

    return wrap


def settings_page(
    route: str, title: str, *, load: Any, help_topic: str
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Registers one of the tabs of Settings: a `portal_page` below the tabs. `title` is also its heading."""
    return _tabbed_page(route, title, _settings_tabs, load=load, help_topic=help_topic)


def billing_page(
    route: str, title: str, *, load: Any, help_topic: str
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Registers one of the tabs of Billing: a `portal_page` below the tabs. `title` is also its heading."""
    return _tabbed_page(route, title, billing_tabs, load=load, help_topic=help_topic)


def operator_page(
    route: str, title: str, *, load: Any, help_topic: str
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    """Registers one of the tabs of the operators' console: a `portal_page` below the tabs, with its own heading."""
    return _tabbed_page(route, title, operator_tabs, load=load, help_topic=help_topic)


def _tabbed_page(
    route: str, title: str, tabs: Callable[[], rx.Component], *, load: Any, help_topic: str
) -> Callable[[Callable[[], rx.Component]], Callable[[], rx.Component]]:
    def wrap(content: Callable[[], rx.Component]) -> Callable[[], rx.Component]:
        def tabbed() -> rx.Component:
            return rx.fragment(rx.el.div(rx.el.h1(title), class_name="page-head"), tabs(), content())

        _belongs_to(content, tabbed)
        portal_page(route, title, load=load, help_topic=help_topic)(tabbed)
        return content

    return wrap


def _belongs_to(content: Callable[[], rx.Component], page: Callable[[], rx.Component]) -> None:
    """The build puts the parts of a page into the file of its function's module: each page is to load its own only."""
    page.__name__, page.__module__ = content.__name__, content.__module__


def _settings_tabs() -> rx.Component:
    return rx.el.nav(
        rx.el.ul(
            rx.foreach(ShellState.settings_tabs, lambda tab: _tab(tab["label"], tab["href"], with_below=True)),
            class_name="tabs",
        ),
        aria_label="Settings",
    )


def billing_tabs() -> rx.Component:
    """The tabs of Billing. They stand in the page: only which of them are open comes with the frame."""
    tabs = (rx.cond(ShellState.billing_tabs.contains(place.href), _tab(place.label, place.href)) for place in BILLING)
    return rx.el.nav(rx.el.ul(*tabs, class_name="tabs"), aria_label="Billing")


def operator_tabs() -> rx.Component:
    """The tabs of the operators' console in their groups. A row too short for all begins where the open one is."""
    groups = (
        rx.el.ul(*(_tab(place.label, place.href, with_below=True) for place in places), aria_label=group)
        for group, places in OPERATOR_GROUPS
        if places
    )
    return rx.el.nav(
        rx.el.div(*groups, class_name="tabs tabs-groups", on_mount=FunctionStringVar.create(SHOW_TAB)),
        id="console-tabs",
        aria_label="Operator console",
    )


def _tab(label: str | rx.Var[str], href: str | rx.Var[str], *, with_below: bool = False) -> rx.Component:
    # Every page of the console is below its first one, to which only the partners' own belong.
    above = "/operator/partners" if isinstance(href, str) and href == "/operator" else rx.Var.create(href).to(str)
    below = rx.State.router.url.path.startswith(above + "/") if with_below else False
    return tab_link(label, href, within=below)


def tab_link(label: str | rx.Var[str], href: str | rx.Var[str], *, within: bool | rx.Var[bool] = False) -> rx.Component:
    """One of a list of tabs. `within`: the page that is open belongs to it."""
    return rx.el.li(
        link(label, href=href, aria_current=rx.cond(_is_here(href), "page", rx.cond(within, "true", "false")))
    )


def _is_here(href: str | rx.Var[str]) -> rx.Var[bool]:
    path = rx.State.router.url.path
    # The server adds a slash to a page's address.
    return (path == href) | (path == rx.Var.create(href).to(str) + "/")


def frame(content: rx.Component, title: str, help_topic: str) -> rx.Component:
    """The whole document of a signed-in page."""
    return rx.el.div(
        link("Skip to the content", href="#main", external=True, class_name="skip-link"),
        _header(help_topic),
        _navigation(),
        rx.el.main(
            rx.el.div(
                rx.foreach(ShellState.banners, _banner),
                class_name=rx.cond(ShellState.email == "", "banners waiting", "banners"),
            ),
            callout(NoticeState.kind, NoticeState.text, on_dismiss=NoticeState.dismiss),
            rx.cond(SessionState.denied != "", _denied(), content),
            id="main",
            tab_index=-1,
            class_name="main",
        ),
        _help_panel(title, help_topic),
        confirm_dialog(),
        offline(),
        class_name=ready_or_not("app"),
    )


def ready_or_not(look: str) -> rx.Var[str]:
    """The class of a page's outermost part. Until the page's load has answered its controls can't be used yet:

    what is pressed before the scripts are there would be lost, and what is pressed before the load would be undone.
    """
    return rx.cond(rx.State.is_hydrated, look, f"{look} unready")


def _banner(banner: rx.Var[Banner]) -> rx.Component:
    return rx.el.section(
        rx.cond(banner.kind == "red", icon("circle-alert"), icon("triangle-alert")),
        rx.el.p(banner.text),
        link(banner.action, href=banner.href),
        class_name=classes("banner", f"is-{banner.kind}"),
        aria_label="Billing notice",
    )


def _header(_help_topic: str) -> rx.Component:
    return rx.el.header(
        icon_button("Menu", "menu", class_name="nav-toggle", custom_attrs={"popovertarget": "navigation"}),
        link(
            brand_sign(),
            rx.el.span(PRODUCT, class_name="brand-product"),
            href=ShellState.home,
            class_name="brand-mark",
        ),
        rx.cond(ShellState.may_search, _search()),
        rx.el.div(
            _who(),
            theme_switch(),
            icon_button("Help", "circle-help", custom_attrs={"popovertarget": "help"}),
            native_form(
                button("Log Out", kind="ghost", icon="log-out", type="submit"),
                action="/auth/sign-out",
                class_name="log-out",
            ),
            class_name="topbar-end",
        ),
        class_name="topbar",
    )


def _who() -> rx.Component:
    return rx.el.div(
        rx.el.span(ShellState.name, title=ShellState.name),
        rx.el.span(ShellState.email, title=ShellState.email, class_name="email"),
        class_name="who",
    )


def theme_switch() -> rx.Component:
    """Changes between light and dark; the browser keeps the choice."""
    return icon_button("Switch light and dark", "sun-moon", on_click=rx.toggle_color_mode)


def _search() -> rx.Component:
    return rx.el.div(
        search_input(
            "Search accounts, invoices and users",
            value=ShellState.search,
            on_change=ShellState.find,
            on_clear=ShellState.clear,
            placeholder="Search",
            name="global-search",
            id="global-search",
            shortcut="/",
            aria_controls="global-found",
        ),
        rx.el.div(
            rx.cond(ShellState.searched, _found()), id="global-found", aria_live="polite", class_name="found-slot"
        ),
        rx.window_event_listener(on_key_down=FunctionStringVar.create(FOCUS_SEARCH)),
        role="search",
        class_name="topbar-search",
    )


def _found() -> rx.Component:
    return rx.el.div(
        rx.cond(
            ShellState.found.length() > 0,
            rx.el.ul(rx.foreach(ShellState.found, _found_line)),
            rx.el.p("Nothing matches.", class_name="muted"),
        ),
        class_name="found",
    )


def _found_line(item: rx.Var[NavLink]) -> rx.Component:
    return rx.el.li(link(_sign(item), rx.el.span(item["label"], class_name="cut"), href=item["href"]))


def _sign(item: rx.Var[NavLink]) -> rx.Component:
    signs = ("user", icon("user")), ("receipt-text", icon("receipt-text"))
    return rx.fragment(rx.match(item["icon"], *signs, icon("database")))


def _navigation() -> rx.Component:
    return rx.el.nav(
        rx.el.ul(rx.foreach(ShellState.links, _nav_link)),
        rx.el.div(
            _who(),
            rx.el.span("Questions?"),
            support_link(),
            legal_links(),
            class_name="sidebar-end",
        ),
        id="navigation",
        class_name="sidebar",
        aria_label="Main",
        custom_attrs={"popover": "auto"},
    )


def _nav_link(item: rx.Var[NavLink]) -> rx.Component:
    path = rx.State.router.url.path
    within = (
        ((item["href"] == "/") & path.startswith("/accounts/"))
        | ((item["label"] == "Settings") & path.startswith("/settings/"))
        | ((item["label"] == "Billing") & path.startswith("/billing/"))
        | ((item["icon"] != "") & (item["href"] != "/") & path.startswith(item["href"].to(str) + "/"))
    )
    return rx.el.li(
        link(
            rx.match(
                item["icon"],
                ("database", icon("database")),
                ("receipt-text", icon("receipt-text")),
                ("building-2", icon("building-2")),
                ("graduation-cap", icon("graduation-cap")),
                ("settings", icon("settings")),
                ("shield-check", icon("shield-check")),
                ("megaphone", icon("megaphone")),
                ("archive", icon("archive")),
                ("circle-help", icon("circle-help")),
                icon("layout-dashboard"),
            ),
            item["label"],
            rx.cond((item["href"] == NEWS) & (ShellState.unread > 0), _unread()),
            href=item["href"],
            class_name="nav-link",
            aria_current=rx.cond(_is_here(item["href"]), "page", rx.cond(within, "true", "false")),
            on_click=hide_popover("navigation"),
        )
    )


def _unread() -> rx.Component:
    return rx.el.span(ShellState.unread, visually_hidden(" unread"), class_name="nav-count")


def _help_panel(title: str, topic: str) -> rx.Component:
    return popover(
        rx.el.div(
            rx.el.h2(f"Help: {title}"),
            icon_button("Close help", "x", custom_attrs={"popovertarget": "help", "popovertargetaction": "hide"}),
            class_name="dialog-head",
        ),
        help_text(topic),
        rx.cond(ShellState.reads, rx.el.p(link("Open as an article", href=f"/support/articles/{topic}"))),
        rx.el.p("More questions: ", support_link(), class_name="help-foot"),
        id="help",
        label=f"Help: {title}",
    )


def _denied() -> rx.Component:
    return rx.el.div(
        icon("shield-x", 32),
        rx.el.h1("Access denied"),
        rx.el.p(SessionState.denied, custom_attrs={"role": "alert"}),
        rx.el.p("Ask an administrator of your company for the permission."),
        rx.cond(ShellState.links.length() > 0, link_button("Go to the start page", href=ShellState.home)),
        on_mount=ShellState.introduce,
        class_name="error-page",
    )


def not_found_content() -> rx.Component:
    """What stands at an address where there is nothing for the visitor."""
    return rx.el.main(
        rx.el.p("404", class_name="code"),
        rx.el.h1("Page not found"),
        rx.el.p("There is nothing at this address, or it is not yours to see."),
        link_button("Go to the start page", href="/", kind="primary"),
        rx.el.p(NAME, class_name="muted"),
        id="main",
        class_name="error-page",
    )


def offline() -> rx.Component:
    """Shown while the connection is lost; the socket tries again by itself and the page then loads afresh."""
    return rx.cond(
        has_connection_errors,
        rx.el.div(
            icon("wifi-off"),
            "The connection is lost. Trying again …",
            class_name="offline",
            custom_attrs={"role": "status"},
        ),
    )
