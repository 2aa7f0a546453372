"""`/accounts/import/portal`."""

from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar, ObjectVar

from portal_app.portal_import.lists_components import lists
from portal_app.portal_import.report import BEGINS
from portal_app.portal_import.rows import Figure, NameLine, Wanted
from portal_app.portal_import.state import PATH
from portal_app.portal_import.state import ImportPortalState as State
from portal_app.shell.layout import portal_page
from portal_app.ui import (
    button,
    callout,
    empty_state,
    fault_in,
    focus_first_fault,
    link,
    link_button,
    option,
    password_input,
    progress,
    radio_group,
    select,
    text_input,
)

# The result takes the place of the button that had the focus; whoever is elsewhere on the page is left alone.
TAKE_FOCUS = "(() => document.activeElement === document.body && document.getElementById('import-result')?.focus())"


@portal_page(PATH, "Import from a Portal", load=State.load, help_topic="import-portal")
def import_portal() -> rx.Component:
    """An existing portal: read, compared, imported."""
    return rx.fragment(
        rx.el.div(rx.el.h1("Import from a Portal"), class_name="page-head"),
        callout("red", State.problem),
        rx.match(
            State.phase,
            ("form", _form()),
            ("reading", _working("reading")),
            ("applying", _working("applying")),
            ("ready", _ready()),
            ("done", _done()),
            ("failed", _again()),
            ("missing", _missing()),
            _loading(),
        ),
        rx.window_event_listener(on_popstate=State.load),
    )


def _loading() -> rx.Component:
    bars = (rx.el.span(class_name="skeleton") for _ in range(6))
    return rx.el.div(*bars, class_name="card stack form", aria_busy="true")


def _form() -> rx.Component:
    return rx.el.div(
        rx.cond(State.left_id != "", _left()),
        rx.el.form(
            focus_first_fault(State.problem != ""),
            _address(),
            _credentials(),
            rx.el.div(
                link_button("Cancel", href="/accounts/import"),
                button("Start dry run", kind="primary", type="submit", busy=State.busy),
                class_name="form-actions",
            ),
            on_submit=State.begin,
            # Sent before the scripts are there, the browser's own GET would put the passwords into the address.
            method="post",
            no_validate=True,
            auto_complete="off",
            class_name="form",
        ),
        class_name="stack",
    )


def _left() -> rx.Component:
    words = "Your last import is kept for a day: " + State.left_source + "."
    return callout("grey", words, link("Go on with it", href=PATH + "?import=" + State.left_id), live=False)


def _address() -> rx.Component:
    return rx.el.section(
        rx.el.h2("1. The existing portal"),
        rx.el.p(
            "Accounts, tasks, the state of what is backed up and old bills come over. You see first what would happen; "
            "nothing is saved until you import it."
        ),
        text_input(
            "Portal address",
            "url",
            type="url",
            placeholder="https://api.portal.example",
            error=_fault("url"),
            hint="Where its partner API answers, without a version.",
            auto_complete="off",
            required=True,
        ),
        radio_group(
            "API version",
            "version",
            [option("2", "Version 2"), option("1", "Version 1", "Older portals.")],
            default_value="2",
        ),
        class_name="card stack",
        aria_label="The existing portal",
    )


def _credentials() -> rx.Component:
    return rx.el.section(
        rx.el.h2("2. How it lets you in"),
        rx.el.p("Used to read the portal once, and forgotten as soon as it is read.", class_name="muted"),
        text_input("Client ID", "client_id", error=_fault("client_id"), auto_complete="off", required=True),
        password_input(
            "Client secret", "client_secret", error=_fault("client_secret"), auto_complete="off", required=True
        ),
        text_input("Email", "email", type="email", error=_fault("email"), auto_complete="off", required=True),
        password_input("Password", "password", error=_fault("password"), auto_complete="off", required=True),
        class_name="card stack",
        aria_label="How it lets you in",
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)


def _working(phase: str) -> rx.Component:
    reading = phase == "reading"
    words = "Nothing is changed while it is read." if reading else "Each account is saved whole."
    return rx.el.section(
        progress(State.words, State.percent, id="import-progress"),
        rx.el.p(f"You may leave this page: the work goes on. {words}", class_name="muted"),
        *([rx.el.div(button("Cancel", on_click=State.forget), class_name="row")] if reading else []),
        class_name="card stack form",
        aria_label="Progress",
    )


def _result(words: Any, *children: Any) -> rx.Component:
    """What stands where the progress was; announced, and focused if nothing else is."""
    return rx.el.section(
        rx.el.div(rx.el.h2(words, id="import-result", tab_index=-1), custom_attrs={"role": "status"}),
        *children,
        rx.el.span(hidden=True, on_mount=FunctionStringVar.create(TAKE_FOCUS)),
        class_name="stack",
        aria_labelledby="import-result",
    )


def _ready() -> rx.Component:
    return _result(
        "This would happen",
        rx.el.p("Read from ", rx.el.strong(State.source), ". Nothing is changed yet."),
        _odd(),
        rx.el.div(_figures("In numbers"), _names(), class_name="grid-2"),
        _choices(),
        rx.el.div(
            button("Import", kind="primary", on_click=State.start, disabled=~State.can_import | State.busy),
            button("Forget this dry run", on_click=State.forget),
            rx.cond(State.can_import, rx.fragment(), rx.el.span("There is nothing to import.", class_name="muted")),
            class_name="row",
        ),
        lists(),
    )


def _done() -> rx.Component:
    return _result(
        "The import is done",
        rx.el.p("From ", rx.el.strong(State.source), ". Importing once more changes only what is new there."),
        rx.cond(
            State.failed.length() > 0,
            callout("red", "These accounts could not be imported:", _sentences(State.failed), live=False),
        ),
        _odd(),
        _figures("What was done"),
        rx.el.div(
            link_button("Go to the dashboard", href="/", kind="primary"),
            link_button("Import once more", href=PATH),
            class_name="row",
        ),
        lists(),
    )


def _sentences(words: rx.Var[list[str]]) -> rx.Component:
    return rx.el.ul(rx.foreach(words, rx.el.li))


def _odd() -> rx.Component:
    return rx.cond(
        State.oddities.length() > 0,
        callout("orange", "The portal's answers were not as expected:", _sentences(State.oddities), live=False),
    )


def _figures(title: str) -> rx.Component:
    return rx.el.section(
        rx.el.h3(title),
        rx.el.dl(rx.foreach(State.figures, _figure), class_name="stack-s"),
        class_name="card stack-s",
    )


def _figure(one: ObjectVar[Figure]) -> rx.Component:
    count = rx.el.dd(one["count"], class_name="num")
    return rx.el.div(rx.el.dt(one["label"]), count, class_name="row row-between")


def _names() -> rx.Component:
    return rx.cond(
        State.name_count > 0,
        rx.el.section(
            rx.el.h3("Names that end in digits"),
            rx.el.p(
                "Some portals append digits to a name. So would they read without them, if you choose so below. "
                "The first 20 are listed; all stand among the accounts.",
                class_name="muted small",
            ),
            rx.el.dl(rx.foreach(State.names, _name), class_name="stack-s"),
            class_name="card stack-s",
        ),
    )


def _name(one: ObjectVar[NameLine]) -> rx.Component:
    return rx.el.div(rx.el.dt(one["name"]), rx.el.dd(one["shorter"]), class_name="row row-between")


def _choices() -> rx.Component:
    return rx.el.form(
        rx.el.section(
            rx.el.h3("Your choices"),
            rx.el.div(
                rx.foreach(State.statuses, _status),
                rx.foreach(State.regions, _region),
                rx.cond(State.name_count > 0, _digits()),
                class_name="grid-2",
            ),
            rx.el.div(button("Update dry run", type="submit", busy=State.busy), class_name="row"),
            class_name="card stack",
            aria_label="Your choices",
        ),
        on_submit=State.choose,
        method="post",
    )


def _status(one: ObjectVar[Wanted]) -> rx.Component:
    begins = [rx.el.option(label, value=key) for key, label in BEGINS.items()]
    return _choice(f"Accounts that are {one['word']} ({one['count']}) begin", one, *begins)


def _region(one: ObjectVar[Wanted]) -> rx.Component:
    places = rx.foreach(State.places, lambda place: rx.el.option(place["label"], value=place["value"]))
    return _choice(f"Accounts in region {one['word']} ({one['count']}) go to", one, places)


def _choice(label: Any, one: ObjectVar[Wanted], *options: rx.Component) -> rx.Component:
    ident = one["field"]
    return rx.el.div(
        rx.el.label(label, html_for=ident),
        rx.el.select(*options, id=ident, name=ident, default_value=one["value"], class_name="control"),
        class_name="field",
    )


def _digits() -> rx.Component:
    options = [option("keep", "Keep them"), option("drop", "Leave them out")]
    return select("Digits at the end of names", "digits", options, default_value=rx.cond(State.digits, "drop", "keep"))


def _again() -> rx.Component:
    return rx.el.div(
        link_button("Enter it again", href=PATH, kind="primary"),
        class_name="row",
    )


def _missing() -> rx.Component:
    return empty_state(
        "file-x",
        "There is no such import",
        "What was read of a portal is kept for a day, and only your last one. Read it again.",
        link_button("Import from a portal", href=PATH, kind="primary"),
    )
