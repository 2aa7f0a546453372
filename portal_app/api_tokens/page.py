"""`/settings/api`."""

from typing import Any

import reflex as rx

from portal_app.api_tokens.state import FIELD, LIVES, Grant, TokenLine
from portal_app.api_tokens.state import ApiTokensState as State
from portal_app.api_tokens.webhooks_components import webhooks
from portal_app.api_tokens.webhooks_state import WebhooksState
from portal_app.auth.permissions import Permission
from portal_app.shell.layout import settings_page
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
    link,
    option,
    select,
    shown_once,
    table,
    text_input,
)
from portal_app.ui.brand import PRODUCT

COLUMNS = [
    Column("Name", "name"),
    Column("Permissions", "text", on_card=False),
    Column("Created by", "text", on_card=False, wide_only=True),
    Column("Expires", "date"),
    Column("Last used", "date"),
    Column("State", "status"),
    Column("Revoke", "action"),
]


@settings_page("/settings/api", "API", load=[State.load, WebhooksState.load], help_topic="api")
def api_tokens() -> rx.Component:
    """The keys of the partner's programs."""
    return rx.fragment(
        rx.el.div(
            rx.el.p(
                "A token lets a program of yours speak to the portal, such as a backup engine that reports its runs. ",
                link("What the API offers", href="/api/docs", external=True),
                class_name="muted",
            ),
            button(
                "+ Create API Token",
                kind="primary",
                on_click=State.open_new,
                disabled=State.loading | ~State.may_create,
            ),
            class_name="row row-between",
        ),
        rx.cond(
            ~State.loading & ~State.may_create,
            callout("grey", "A token sees all accounts, so only people who see all accounts can make one.", live=False),
        ),
        _created(),
        _table(),
        webhooks(),
        _new_dialog(),
        _revoke_dialog(),
    )


def _created() -> rx.Component:
    return shown_once(
        "Copy the new token now",
        f"“{State.created}” is not shown again: the portal keeps only a fingerprint of it.",
        label="API token",
        field=FIELD,
        shown=State.created != "",
        on_saved=State.forget,
    )


def _table() -> rx.Component:
    return table(
        "API tokens",
        COLUMNS,
        State.lines,
        _cells,
        row_key=lambda line: line["id"],
        loading=State.loading,
        reserve=3,
        empty=empty_state(
            "key-round",
            "No API tokens yet",
            "Make one for each program, so that you can revoke one without the others.",
        ),
    )


def _cells(line: rx.Var[TokenLine]) -> list[Any]:
    return [
        cut(line["name"]),
        cut(line["permissions"]),
        cut(line["created_by"]),
        instant(line["expires"]),
        instant(line["used"]),
        badge(line["state_kind"], line["state"]),
        rx.cond(
            line["lives"],
            icon_button("Revoke " + line["name"].to(str), "bin", danger=True, on_click=State.open_revoke(line["id"])),
        ),
    ]


def _new_dialog() -> rx.Component:
    return dialog(
        State.dialog == "new",
        "Create API Token",
        rx.el.form(
            callout("red", State.error),
            focus_first_fault(State.errors.length() > 0),
            text_input(
                "Name",
                "name",
                error=_fault("name"),
                hint="What it is for, such as the server that uses it.",
                auto_complete="off",
                custom_attrs=autofocus_attrs(),
            ),
            select(
                "Expires after",
                "life",
                [option(value, label) for value, label in LIVES],
                default_value="90",
                error=_fault("life"),
            ),
            _grants("Account Operations", State.account_grants),
            _grants(rx.Var.create(f"{PRODUCT} Operations"), State.portal_grants),
            rx.el.p(_fault("permissions"), class_name="field-error", aria_live="polite"),
            id="token-form",
            on_submit=State.create,
            method="post",
            no_validate=True,
            class_name="stack",
        ),
        id="token-dialog",
        wide=True,
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button("Create", kind="primary", type="submit", form="token-form"),
        ),
        on_close=State.close,
    )


def _grants(legend: str | rx.Var[str], grants: rx.Var[list[Grant]]) -> rx.Component:
    return rx.cond(
        grants.length() > 0,
        rx.el.fieldset(
            rx.el.legend(legend),
            rx.el.div(rx.foreach(grants, _grant), class_name="choice-columns"),
            class_name="choices",
        ),
    )


def _grant(grant: rx.Var[Grant]) -> rx.Component:
    key = grant["key"].to(str)
    box = rx.el.input(
        type="checkbox",
        id="grant-" + key,
        name=key,
        value="1",
        default_checked=key == Permission.BACKUPS_RUN.value,
        class_name="tick",
    )
    return rx.el.div(box, rx.el.label(grant["label"], html_for="grant-" + key), class_name="choice")


def _revoke_dialog() -> rx.Component:
    return confirm(
        State.dialog == "revoke",
        "Revoke this token?",
        f"Programs that use “{State.revoking_name}” are refused from now on. This can't be undone.",
        id="revoke-dialog",
        act="Revoke",
        danger=True,
        on_confirm=State.revoke(State.revoking_id),
        on_close=State.close,
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
