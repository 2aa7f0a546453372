"""`/accounts/{id}/removed`: what became of a removed account's data."""

import reflex as rx

from portal_app.account_settings.removal_state import RemovedState as State
from portal_app.shell.layout import portal_page
from portal_app.ui import badge, callout, icon, link, link_button, progress


@portal_page("/accounts/[account_id]/removed", "Account removed", load=State.load, help_topic="account-removed")
def removed() -> rx.Component:
    """How far the deletion is, to its proof."""
    return rx.cond(State.missing, _missing(), rx.cond(State.loading, _waiting(), _standing()))


def _waiting() -> rx.Component:
    return rx.fragment(rx.el.h1("Account removed"), rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true"))


def _missing() -> rx.Component:
    return rx.el.div(
        rx.el.h1("There is no such account"),
        rx.el.p("It may never have been there, or it is not yours to see."),
        link_button("Go to the start page", href="/"),
        class_name="error-page",
    )


def _standing() -> rx.Component:
    return rx.fragment(
        rx.el.header(
            rx.el.nav(link(icon("arrow-left"), "Dashboard", href="/"), class_name="crumbs", aria_label="Back"),
            rx.el.div(
                rx.el.h1("Account removed"),
                badge(_kind(), _state(), pill=True),
                class_name="page-head page-head-title",
            ),
            class_name="stack",
        ),
        rx.el.section(
            rx.el.h2(State.name),
            rx.el.p(State.email, class_name="muted"),
            rx.el.p("Its subscription has ended, and its users are signed out."),
            callout("orange", State.fault),
            rx.cond(
                State.ended,
                rx.el.p(State.proof, class_name="strong", custom_attrs={"role": "status"}),
                progress(State.words, State.percent, id="deletion"),
            ),
            class_name="card stack form",
            aria_label="Deletion of the stored data",
        ),
    )


def _kind() -> rx.Var[str]:
    return rx.cond(State.ended, rx.cond(State.fault != "", "red", "green"), "orange").to(str)


def _state() -> rx.Var[str]:
    done = rx.cond(State.fault != "", "Data not deleted", "Data deleted")
    return rx.cond(State.ended, done, "Deleting data").to(str)
