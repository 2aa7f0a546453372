"""`/operator/storage`, `/operator/storage/new` and `/operator/storage/[location]`: where backups are kept."""

from typing import Any

import reflex as rx

from portal_app.accounts.storage_credentials import FIELD_PREFIX
from portal_app.operator.places_state import KINDS, PATH, PlaceLine, PlacesState
from portal_app.operator.places_state import PlaceState as State
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    badge,
    button,
    callout,
    confirm,
    cut,
    empty_state,
    fault_in,
    focus_first_fault,
    icon,
    icon_button,
    instant,
    link,
    link_button,
    option,
    row_link,
    select,
    table,
    text_input,
)
from portal_app.ui.kinds import inline
from portal_app.ui.storage import storage_fields

COLUMNS = (
    Column("Name", "name"),
    Column("Code", "short", on_card=False),
    Column("Kind", "short"),
    Column("Kept in", "text", on_card=False, wide_only=True),
    Column("Accounts", "number"),
    Column("Stored", "number"),
    Column("State", "status"),
    Column("Order", "action", width="124px"),
)


@operator_page(PATH, "Storage", load=PlacesState.load, help_topic="storage-locations")
def storage() -> rx.Component:
    """All locations in the order in which new accounts choose among them."""
    return rx.fragment(
        rx.el.div(
            rx.el.p("Where accounts' backups are kept, in the order that new accounts see.", class_name="muted"),
            link_button("+ Add storage location", kind="primary", href=f"{PATH}/new"),
            class_name="row row-between",
        ),
        table(
            "Storage locations",
            COLUMNS,
            PlacesState.lines,
            _cells,
            row_key=lambda line: line["code"],
            loading=PlacesState.loading,
            reserve=10,
            empty=empty_state("database", "No location yet", "Add the first one: accounts need a place."),
        ),
    )


def _cells(line: rx.Var[PlaceLine]) -> list[Any]:
    return [
        row_link(line["name"], f"{PATH}/" + line["code"]),
        line["code"],
        line["kind"],
        cut(line["place"]),
        line["accounts"],
        line["size"],
        _state(line),
        rx.el.div(
            icon_button("Move up " + line["name"], "arrow-up", on_click=PlacesState.move(line["code"], -1)),
            icon_button("Move down " + line["name"], "arrow-down", on_click=PlacesState.move(line["code"], 1)),
            class_name="row",
            custom_attrs=inline(flexWrap="nowrap"),
        ),
    ]


def _state(line: rx.Var[PlaceLine]) -> rx.Component:
    return rx.cond(line["open"], badge("green", "Open"), badge("grey", "Retired"))


@operator_page(f"{PATH}/new", "Add storage location", load=State.load, help_topic="storage-locations")
def add_location() -> rx.Component:
    """The form of a new location."""
    return rx.fragment(_back(), rx.cond(State.ready, _new(), _waiting()))


@operator_page(f"{PATH}/[location]", "Storage location", load=State.load, help_topic="storage-locations")
def location() -> rx.Component:
    """One location: its name, its storage, whether new accounts may choose it."""
    gone = empty_state(
        "database", "There is no such storage location", "The list has all of them.", link_button("Show all", href=PATH)
    )
    whole = rx.el.div(_faults(), _facts(), _name(), _storage(), _retire(), class_name="form")
    return rx.fragment(_back(), rx.cond(State.missing, gone, rx.cond(State.ready, whole, _waiting())))


def _back() -> rx.Component:
    return rx.el.nav(link(icon("arrow-left"), "All locations", href=PATH), class_name="crumbs", aria_label="Back")


def _waiting() -> rx.Component:
    bars = (rx.el.span(class_name="skeleton") for _ in range(5))
    return rx.el.div(rx.el.div(*bars, class_name="card stack"), class_name="form", aria_busy="true")


def _new() -> rx.Component:
    return rx.el.form(
        _faults(),
        rx.el.section(
            rx.el.h2("Location"),
            text_input(
                "Name", "name", error=_fault("name"), hint="As partners choose it: Germany (Frankfurt).", **_OFF
            ),
            text_input(
                "Code", "code", error=_fault("code"), hint="For programs, such as eu-frankfurt. It stays.", **_OFF
            ),
            class_name="card stack",
            aria_label="Location",
        ),
        _kept_in(
            rx.el.div(
                button("Add", kind="primary", type="submit", busy=State.busy == "add"),
                link_button("Cancel", href=PATH),
                _trying(),
                class_name="form-actions",
            )
        ),
        on_submit=State.add,
        **_FORM,
        class_name="form",
    )


def _facts() -> rx.Component:
    facts = (
        ("Code", State.line["code"]),
        ("Kind", State.line["kind"]),
        ("Kept in", State.line["place"]),
        ("Accounts", State.line["accounts"]),
        ("Stored", State.line["size"]),
        ("Backup tasks kept there", State.tasks.to_string()),
        ("Default of partners", State.partners.to_string()),
    )
    checked = rx.cond(State.line["checked"]["exact"] != "", instant(State.line["checked"]), "Never")
    return rx.el.section(
        rx.el.div(rx.el.h2(State.line["name"]), _state(State.line), class_name="row row-between"),
        rx.el.dl(
            *(rx.el.div(rx.el.dt(label), rx.el.dd(value)) for label, value in facts),
            rx.el.div(rx.el.dt("Last check"), rx.el.dd(checked)),
            class_name="facts",
        ),
        rx.el.div(
            button("Check storage", icon="refresh-cw", busy=State.busy == "check", on_click=State.check),
            class_name="form-actions",
        ),
        class_name="card stack",
        aria_label="Facts",
    )


def _name() -> rx.Component:
    return rx.el.form(
        rx.el.section(
            rx.el.h2("Name"),
            text_input("Name", "name", default_value=State.line["name"], error=_fault("name"), **_OFF),
            rx.el.div(
                button("Save name", kind="primary", type="submit", busy=State.busy == "rename"),
                class_name="form-actions",
            ),
            class_name="card stack",
            aria_label="Name",
        ),
        on_submit=State.rename,
        **_FORM,
    )


def _storage() -> rx.Component:
    held = (
        "Backups are kept there: their storage stays where it is. You can give other keys to the same one. "
        "For another storage, add a location and retire this one."
    )
    return rx.el.form(
        callout("grey", rx.cond(State.tasks > 0, held, ""), live=False),
        _kept_in(
            rx.el.div(
                button("Check and use", kind="primary", type="submit", busy=State.busy == "give"),
                _trying(),
                class_name="form-actions",
            )
        ),
        on_submit=State.give,
        **_FORM,
        class_name="stack",
    )


def _kept_in(actions: rx.Component) -> rx.Component:
    kinds = [option(str(kind), words) for kind, words in KINDS.items()]
    return rx.el.section(
        rx.el.h2("Storage"),
        rx.el.p(
            "Before it is saved, a small object is written to this storage, read and deleted. "
            "Keys are stored encrypted and never shown again.",
            class_name="muted",
        ),
        select("Kind", "kind", kinds, value=State.chosen, on_change=State.choose, error=_fault("storage")),
        rx.cond(
            State.chosen == "folder",
            text_input(
                "Folder",
                "folder",
                default_value=State.folder,
                error=_fault("folder"),
                hint="Below the folder for backups of this machine. Empty: the location's code.",
                **_OFF,
            ),
        ),
        storage_fields(State.chosen, _fault, prefix=FIELD_PREFIX),
        actions,
        class_name="card stack",
        aria_label="Storage",
    )


def _retire() -> rx.Component:
    default = rx.cond(
        State.partners == 1, "It is the default of one partner.", f"It is the default of {State.partners} partners."
    )
    return rx.el.section(
        rx.el.h2("New accounts"),
        rx.cond(
            State.line["open"],
            rx.fragment(
                rx.el.p("New accounts can choose this location."),
                rx.el.div(button("Retire location", kind="danger", on_click=State.ask), class_name="form-actions"),
            ),
            rx.fragment(
                rx.el.p("New accounts can't choose this location. Those that are here are backed up as before."),
                rx.el.div(
                    button("Open again", on_click=State.turn, busy=State.busy == "turn"), class_name="form-actions"
                ),
            ),
        ),
        confirm(
            State.asking,
            "Retire this location?",
            "No new account can choose it. Accounts that are here stay and are backed up as before.",
            rx.cond(
                State.partners > 0,
                rx.el.p(rx.el.strong(default), " Their new accounts then begin in the first open one."),
            ),
            id="retire-dialog",
            act="Retire",
            danger=True,
            on_confirm=State.turn,
            on_close=State.close,
            busy=State.busy == "turn",
        ),
        class_name="card stack",
        aria_label="New accounts",
    )


def _faults() -> rx.Component:
    return rx.fragment(callout("red", State.error), focus_first_fault(State.errors.length() > 0))


def _trying() -> rx.Component:
    return rx.cond(
        (State.busy == "add") | (State.busy == "give"),
        rx.el.span("Checking the storage …", custom_attrs={"role": "status"}),
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)


_OFF: dict[str, Any] = {"auto_complete": "off"}
# Sent before the scripts are there, the browser's own GET would put the keys into the address.
_FORM: dict[str, Any] = {"method": "post", "no_validate": True, "auto_complete": "off"}
