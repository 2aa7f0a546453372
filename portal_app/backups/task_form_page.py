"""`/accounts/{id}/tasks/new` and `/accounts/{id}/tasks/{task_id}/edit`."""

from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar

from portal_app.backups.engine.sources import FIELDS, LABELS, SourceField
from portal_app.backups.rows import Service
from portal_app.backups.task_form_state import CHECK, SAVE
from portal_app.backups.task_form_state import TaskFormState as State
from portal_app.backups.task_forms import DISCOVERY, ENGINES, EVERY, KEPT, NAME_LENGTH, SOURCE
from portal_app.models import Discovery, SourceKind, TaskEngine
from portal_app.shell.account_frame import account_page
from portal_app.shell.account_state import AccountFrameState as Frame
from portal_app.ui import (
    button,
    callout,
    empty_state,
    fault_in,
    focus_first_fault,
    link_button,
    option,
    password_input,
    radio_group,
    select,
    text_area,
    text_input,
)
from portal_app.ui.kinds import Text

FORM = "task-form"
# The form goes the same way for both; without it the browser's own Enter would press the first button, Check.
_CHECK = FunctionStringVar.create(
    f"""(() => {{
  const form = document.getElementById({FORM!r});
  form.elements.intent.value = {CHECK!r};
  form.requestSubmit();
  form.elements.intent.value = {SAVE!r};
}})"""
)
_ENGINE_HINTS = {
    TaskEngine.BUILT_IN: "The portal reads the source itself and keeps the data, encrypted, in the account's storage.",
    TaskEngine.REPORTED: "A tool outside makes the backups and tells the portal how they went.",
}
_DISCOVERY_HINTS = {
    Discovery.ADD: "They are backed up from the next run on, and count for the bill.",
    Discovery.ASK: "They wait on the task's page until somebody adds or ignores them.",
    Discovery.IGNORE: "They are not backed up.",
}


@account_page("/tasks/new", "Add Backup Task", load=State.load, help_topic="backup-task")
def new_task() -> rx.Component:
    """The form of a new task."""
    return _editor()


@account_page("/tasks/[task_id]/edit", "Edit Backup Task", load=State.load, help_topic="backup-task")
def edit_task() -> rx.Component:
    """The form of a task that is there."""
    return _editor()


def _editor() -> rx.Component:
    gone = empty_state(
        "search-x",
        "There is no such backup task",
        "It may have been deleted. The list shows those that are there.",
        link_button("Show all backup tasks", href=_back()),
    )
    return rx.cond(State.missing, gone, rx.cond(State.ready, _form(), _waiting()))


def _back() -> rx.Var[str]:
    return "/accounts/" + Frame.account_id.to_string() + "/backups"


def _waiting() -> rx.Component:
    bars = [rx.el.span(class_name="skeleton") for _ in range(6)]
    return rx.el.div(rx.el.div(*bars, class_name="card stack"), class_name="form", aria_busy="true")


def _form() -> rx.Component:
    built_in = State.engine == TaskEngine.BUILT_IN
    return rx.el.form(
        callout("red", State.error),
        focus_first_fault(State.errors.length() > 0),
        _task(),
        rx.cond(built_in, rx.fragment(_source(), _plan())),
        _entities(),
        rx.el.div(
            button(
                rx.cond(State.is_new, "Add Backup Task", "Save"),
                kind="primary",
                type="submit",
                busy=State.busy,
                disabled=State.checking,
            ),
            link_button("Cancel", href=_back()),
            class_name="form-actions",
        ),
        rx.el.input(type="hidden", name="intent", default_value=SAVE),
        id=FORM,
        on_submit=[State.save, State.check],
        # Sent before the scripts are there, the browser's own GET would put the secrets into the address.
        method="post",
        no_validate=True,
        auto_complete="off",
        class_name="form",
    )


def _section(title: str, *parts: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h3(title), *parts, class_name="card stack", aria_label=title)


def _task() -> rx.Component:
    services = [option(service.value, service.label) for service in Service]
    engines = [option(key.value, words, _ENGINE_HINTS[key]) for key, words in ENGINES.items()]
    return _section(
        "Task",
        select("Service", "service", services, default_value=State.service, error=_fault("service")),
        text_input(
            "Name",
            "name",
            default_value=State.name,
            error=_fault("name"),
            max_length=NAME_LENGTH,
            auto_complete="off",
            required=True,
        ),
        rx.cond(
            State.is_new,
            radio_group(
                "Who makes the backups",
                "engine",
                engines,
                value=State.engine,
                on_change=State.choose_engine,
                error=_fault("engine"),
            ),
            _engine_as_it_is(),
        ),
    )


def _engine_as_it_is() -> rx.Component:
    told = rx.cond(
        State.engine == TaskEngine.REPORTED,
        f"A tool outside makes the backups and reports them as {State.key}.",
        "The portal makes the backups.",
    )
    return rx.el.p(told, " This stays as it is.", class_name="muted")


def _source() -> rx.Component:
    kinds = [option(kind.value, LABELS[kind]) for kind in SourceKind]
    without = [one for one in kinds if one["value"] != SourceKind.FOLDER]

    def choose(options: list[Any]) -> rx.Component:
        return select(
            "What is backed up",
            "source_kind",
            options,
            value=State.kind,
            on_change=State.choose_kind,
            error=_fault("source_kind"),
        )

    fields = [(kind.value, rx.fragment(*(_field(kind, one) for one in FIELDS[kind]))) for kind in SourceKind]
    return _section(
        "Source",
        rx.cond(State.folders | (State.kind == SourceKind.FOLDER), choose(kinds), choose(without)),
        rx.match(State.kind, *fields, rx.fragment()),
        rx.el.div(
            button("Check", icon="plug", busy=State.checking, disabled=State.busy, on_click=_CHECK),
            rx.el.span(
                rx.cond(State.checking, "Looking into the source …", State.checked), custom_attrs={"role": "status"}
            ),
            class_name="row",
        ),
    )


def _field(kind: SourceKind, one: SourceField) -> rx.Component:
    name = f"{SOURCE}{kind.value}-{one.name}"
    label = f"{one.label} (optional)" if one.optional else one.label
    props: dict[str, Any] = {"error": _fault(SOURCE + one.name), "hint": _hint(kind, one), "auto_complete": "off"}
    if one.choices:
        choices = [option(value, words) for value, words in one.choices]
        shown = rx.cond(State.source[name], State.source[name], one.choices[0][0])
        return select(label, name, choices, default_value=shown, **props)
    if one.secret:
        # Never shown again: empty keeps it.
        make = text_area if one.input == "long" else password_input
        return make(label, name, **props | ({"rows": "5", "spell_check": False} if one.input == "long" else {}))
    make = text_area if one.input == "long" else text_input
    return make(label, name, default_value=State.source[name], spell_check=False, **props)


def _hint(kind: SourceKind, one: SourceField) -> Text:
    if not one.secret:
        return one.hint
    keeps = "Leave it empty to keep the one that is stored."
    return rx.cond(State.kept == kind.value, f"{one.hint} {keeps}".strip(), one.hint)


def _plan() -> rx.Component:
    hours = [option(str(hour), f"{hour:02}:00 UTC") for hour in range(24)]
    kept = [option(str(days), words) for days, words in KEPT.items()]
    every = [option(key.value, words) for key, words in EVERY.items()]
    return _section(
        "Schedule",
        select("How often", "every", every, default_value=State.every, error=_fault("every")),
        select("At what hour (UTC)", "hour", hours, default_value=State.hour, error=_fault("hour")),
        select("How long backups are kept", "keep", kept, default_value=State.keep, error=_fault("keep")),
    )


def _entities() -> rx.Component:
    choices = [option(key.value, words, _DISCOVERY_HINTS[key]) for key, words in DISCOVERY.items()]
    return _section(
        "New entities",
        radio_group(
            "What happens with mailboxes, sites, drives or folders that appear later",
            "discovery",
            choices,
            default_value=State.discovery,
            error=_fault("discovery"),
        ),
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
