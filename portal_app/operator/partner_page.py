"""`/operator/partners/[code]`: who a partner is, its people, and its access."""

from typing import Any

import reflex as rx

from portal_app.operator.partner_components import partner_page
from portal_app.operator.partner_frame_state import PartnerFrameState as Frame
from portal_app.operator.partner_place_components import partner_place
from portal_app.operator.partner_state import PartnerOverviewState as State
from portal_app.operator.partner_state import PersonLine
from portal_app.times import time_zones
from portal_app.ui import (
    Column,
    autofocus_attrs,
    badge,
    button,
    callout,
    dialog,
    empty_state,
    facts,
    fault_in,
    focus_first_fault,
    instant,
    table,
    text_area,
    text_input,
)
from portal_app.ui.user_acts import who

PEOPLE = (
    Column("Email", "name"),
    Column("Role", "short", on_card=False),
    Column("2FA Authentication", "short"),
    Column("Last sign-in", "date", on_card=False),
    Column("State", "status"),
    Column("Invitation", "action", width="190px"),
)
ENDS = "Nobody of the partner comes in from now on: its people are signed out, its API tokens and webhooks do nothing."
GOES_ON = "Its customers still reach their own accounts, scheduled backups go on, and so do bills."


@partner_page("", load=State.load, help_topic="operator-partner-overview")
def partner_overview() -> rx.Component:
    """One partner."""
    waiting = rx.el.dl(facts(State.facts, loading=True, waiting=5), class_name="facts card")
    return rx.fragment(rx.cond(State.ready, _partner(), waiting), _reason_dialogs(), _restrictions_dialog())


def _partner() -> rx.Component:
    return rx.el.div(_access(), _people(), partner_place(), _contact(), class_name="stack-l")


def _access() -> rx.Component:
    return rx.el.section(
        rx.el.dl(facts(State.facts, loading=False, waiting=5), class_name="facts"),
        rx.el.div(
            rx.cond(
                Frame.suspended,
                button("Reactivate", kind="primary", on_click=State.ask("reactivate")),
                button("Suspend", on_click=State.ask("suspend")),
            ),
            rx.cond(
                State.restricted, button("Turn IP restrictions off", on_click=State.ask("restrictions")), rx.fragment()
            ),
            class_name="row",
        ),
        class_name="card stack",
        aria_label="Access of this partner",
    )


def _people() -> rx.Component:
    return rx.el.section(
        rx.el.h2(State.people_count),
        table(
            "Users",
            PEOPLE,
            State.people,
            _cells,
            row_key=lambda line: line["id"],
            empty=empty_state("users", "No users", "Nobody of the partner can sign in."),
        ),
        class_name="stack",
        aria_label="Users",
    )


def _cells(line: rx.Var[PersonLine]) -> list[Any]:
    return [
        who(line),
        line["role"],
        badge(line["two_factor_kind"], line["two_factor"]),
        instant(line["last"]),
        badge(line["state_kind"], line["state"]),
        rx.cond(
            line["invited"],
            button(
                "Send again",
                small=True,
                on_click=State.resend(line["id"]),
                custom_attrs={"aria-label": "Send the invitation again to " + line["email"].to(str)},
            ),
            rx.fragment(),
        ),
    ]


def _contact() -> rx.Component:
    return rx.el.form(
        rx.el.section(
            rx.el.h2("Contact"),
            callout("red", State.error),
            focus_first_fault(State.error != ""),
            _field("Name", "name"),
            _field("Contact email", "email", type="email"),
            _field("Phone", "phone", type="tel"),
            text_area("Address", "address", default_value=State.saved["address"], error=_fault("address")),
            _field("Time zone", "time_zone", spell_check=False, custom_attrs={"list": "time-zones"}),
            rx.el.datalist(*(rx.el.option(value=name) for name in time_zones()), id="time-zones"),
            rx.cond(
                State.currency_fixed,
                text_input(
                    "Currency",
                    "fixed_currency",
                    value=State.saved["currency"],
                    read_only=True,
                    hint="It stays: the partner is billed in it.",
                ),
                _field("Currency", "currency", hint="It stays once something is billed."),
            ),
            class_name="card stack",
            aria_label="Contact",
        ),
        rx.el.div(button("Save", kind="primary", type="submit", busy=State.busy), class_name="form-actions"),
        on_submit=State.save,
        method="post",
        no_validate=True,
        auto_complete="off",
        class_name="form",
    )


def _field(label: str, name: str, **props) -> rx.Component:
    return text_input(
        label, name, default_value=State.saved[name], error=_fault(name), **{"auto_complete": "off"} | props
    )


def _reason_dialogs() -> rx.Component:
    return rx.fragment(
        _dialog("suspend", "Suspend this partner?", "Suspend", rx.el.p(ENDS), rx.el.p(GOES_ON), _reason(), danger=True),
        _dialog(
            "reactivate",
            "Reactivate this partner?",
            "Reactivate",
            rx.el.p("Its people and API tokens come in again. Everybody signs in anew."),
            _reason(),
        ),
    )


def _restrictions_dialog() -> rx.Component:
    return _dialog(
        "restrictions",
        "Turn IP restrictions off?",
        "Turn off",
        rx.el.p(
            "For a partner that locked itself out. Its people may then come from any address; its list of addresses "
            "stays. Its administrators are written to."
        ),
    )


def _reason() -> rx.Component:
    return text_input(
        "Reason",
        "reason",
        error=_fault("reason"),
        hint="Stands in both audits and in the mail to its administrators.",
        auto_complete="off",
        custom_attrs=autofocus_attrs(),
    )


def _dialog(act: str, title: str, label: str, *parts: rx.Component, danger: bool = False) -> rx.Component:
    return dialog(
        State.asking == act,
        title,
        rx.el.form(*parts, id=f"{act}-form", on_submit=State.act, method="post", no_validate=True, class_name="stack"),
        id=f"{act}-dialog",
        actions=rx.fragment(
            button("Cancel", on_click=State.close),
            button(
                label,
                kind="danger" if danger else "primary",
                type="submit",
                busy=State.busy,
                custom_attrs={"form": f"{act}-form"},
            ),
        ),
        on_close=State.close,
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
