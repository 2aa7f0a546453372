"""The webhooks of Settings > API: the list, the form, the deliveries."""

from typing import Any

import reflex as rx

from portal_app.api_tokens.webhooks_state import FIELD, DeliveryLine, EventTick, WebhookLine
from portal_app.api_tokens.webhooks_state import WebhooksState as State
from portal_app.ui import (
    Column,
    autofocus_attrs,
    badge,
    button,
    callout,
    confirm,
    cut,
    dialog,
    empty_state,
    fault_in,
    focus_first_fault,
    icon_button,
    instant,
    shown_once,
    table,
    text_input,
)

COLUMNS = [
    Column("Address", "name"),
    Column("Events", "text", on_card=False, wide_only=True),
    Column("Last delivery", "date"),
    Column("Outcome", "status"),
    Column("State", "status"),
    Column("Actions", "action"),
]
LOG_COLUMNS = [
    Column("Event", "short"),
    Column("Date", "date"),
    Column("Outcome", "status"),
    Column("Answer", "name"),
    Column("Took", "number"),
    Column("Resend", "action"),
]


def webhooks() -> rx.Component:
    """The section."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.h2("Webhooks", id="webhooks"),
                rx.el.p("The portal tells a program of yours what happens, as soon as it does.", class_name="muted"),
            ),
            button("+ Add webhook", on_click=State.open_new, disabled=State.loading),
            class_name="row row-between",
        ),
        shown_once(
            "Copy the signing secret now",
            f"It is not shown again. With it the program at {State.secret_of} checks that a message is from here.",
            label="Signing secret",
            field=FIELD,
            shown=State.secret_of != "",
            on_saved=State.forget,
        ),
        table(
            "Webhooks",
            COLUMNS,
            State.lines,
            _cells,
            row_key=lambda line: line["id"],
            loading=State.loading,
            reserve=2,
            empty=empty_state(
                "webhook", "No webhooks yet", "Add one, and your program hears of failed backups at once."
            ),
        ),
        _form(),
        _remove(),
        _log(),
        aria_labelledby="webhooks",
        class_name="stack",
    )


def _cells(line: rx.Var[WebhookLine]) -> list[Any]:
    url = line["url"].to(str)
    return [
        cut(url),
        cut(line["events"]),
        instant(line["last"]),
        badge(line["last_kind"], line["last_words"]),
        badge(line["state_kind"], line["state"]),
        rx.el.div(
            icon_button("Deliveries to " + url, "list", on_click=State.open_log(line["id"])),
            icon_button("Edit " + url, "pencil", on_click=State.open_edit(line["id"])),
            icon_button("Delete " + url, "bin", danger=True, on_click=State.open_remove(line["id"])),
            class_name="row-buttons",
        ),
    ]


def _form() -> rx.Component:
    return dialog(
        State.dialog == "edit",
        rx.cond(State.chosen_id == 0, "Add webhook", "Edit webhook"),
        rx.el.form(
            callout("red", State.error),
            rx.cond(
                State.turned_off != "",
                callout("orange", f"The portal turned it off, because nobody took its messages: {State.turned_off}"),
            ),
            focus_first_fault(State.errors.length() > 0),
            text_input(
                "Address",
                "url",
                default_value=State.chosen_url,
                error=fault_in(State.errors, "url"),
                hint="Begins with https:// and is reached from the open internet.",
                auto_complete="off",
                spell_check=False,
                custom_attrs=autofocus_attrs(),
            ),
            rx.el.fieldset(
                rx.el.legend("Events"),
                rx.el.div(rx.foreach(State.ticks, _event), class_name="choice-columns"),
                class_name="choices",
            ),
            rx.el.p(fault_in(State.errors, "events"), class_name="field-error", aria_live="polite"),
            rx.cond(State.chosen_id != 0, _tick("active", "On", State.chosen_active)),
            id="webhook-form",
            on_submit=State.save,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id="webhook-dialog",
        wide=True,
        actions=rx.fragment(
            rx.cond(State.chosen_id != 0, button("New signing secret", on_click=State.rotate(State.chosen_id))),
            button("Cancel", on_click=State.close),
            button(rx.cond(State.chosen_id == 0, "Add", "Save"), kind="primary", type="submit", form="webhook-form"),
        ),
        on_close=State.close,
    )


def _event(tick: rx.Var[EventTick]) -> rx.Component:
    return _tick(tick["key"].to(str), tick["label"], tick["ticked"])


def _tick(key: str | rx.Var[str], label: Any, ticked: Any) -> rx.Component:
    ident = f"webhook-{key}"
    box = rx.el.input(type="checkbox", id=ident, name=key, value="1", default_checked=ticked, class_name="tick")
    return rx.el.div(box, rx.el.label(label, html_for=ident), class_name="choice")


def _remove() -> rx.Component:
    return confirm(
        State.dialog == "remove",
        "Delete this webhook?",
        f"{State.chosen_url} hears of nothing any more, and its deliveries are forgotten. This can't be undone.",
        id="webhook-remove-dialog",
        act="Delete",
        danger=True,
        on_confirm=State.remove(State.chosen_id),
        on_close=State.close,
    )


def _log() -> rx.Component:
    return dialog(
        State.dialog == "log",
        "Deliveries",
        rx.el.p(State.chosen_url, class_name="muted mono"),
        callout("red", State.error),
        table(
            "Deliveries",
            LOG_COLUMNS,
            State.log,
            _log_cells,
            row_key=lambda line: line["id"],
            empty=empty_state("inbox", "Nothing was sent yet", "Send a test to see whether the program answers."),
        ),
        id="webhook-log-dialog",
        wide=True,
        actions=rx.fragment(
            button("Refresh", icon="refresh-cw", on_click=State.open_log(State.chosen_id)),
            button("Send a test", on_click=State.send_test(State.chosen_id), disabled=~State.chosen_active),
            button("Done", kind="primary", on_click=State.close),
        ),
        on_close=State.close,
    )


def _log_cells(line: rx.Var[DeliveryLine]) -> list[Any]:
    return [
        line["event"],
        instant(line["made"]),
        badge(line["state_kind"], line["state"]),
        cut(line["answer"]),
        line["took"],
        icon_button(
            "Resend " + line["event"].to(str),
            "rotate-cw",
            on_click=State.resend(line["id"]),
            disabled=~State.chosen_active,
        ),
    ]
