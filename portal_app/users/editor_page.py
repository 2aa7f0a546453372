"""`/settings/users/new` and `/settings/users/[user_id]`."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from portal_app.models import Role
from portal_app.shell.layout import settings_page
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
    search_input,
    select,
    strength_meter,
    text_input,
)
from portal_app.ui.brand import PRODUCT, SUPPORT_EMAIL
from portal_app.ui.kinds import follows
from portal_app.users.editor_state import AccountTick, Operation
from portal_app.users.editor_state import UserEditorState as State
from portal_app.users.query import PATH
from portal_app.users.rows import ROLES, TYPES

_NOT_SET_UP = rx.Var.create(
    "This portal has no such sign-in yet: the user can't sign in before your provider has set it up. "
    f"Ask {SUPPORT_EMAIL}, or choose Email."
)


@settings_page(f"{PATH}/new", "Add new user", load=State.load, help_topic="users")
def new_user() -> rx.Component:
    """The form of a new user."""
    return _editor()


@settings_page(f"{PATH}/[user_id]", "Edit user", load=State.load, help_topic="users")
def edit_user() -> rx.Component:
    """The form of a user who is there."""
    return _editor()


def _editor() -> rx.Component:
    gone = empty_state(
        "user-x",
        "There is no such user",
        "The user may have been deleted. The list shows who is there.",
        link_button("Show all users", href=PATH),
    )
    return rx.cond(State.missing, gone, rx.cond(State.ready, _form(), _waiting()))


def _waiting() -> rx.Component:
    bars = [rx.el.span(class_name="skeleton") for _ in range(5)]
    return rx.el.div(rx.el.div(*bars, class_name="card stack"), class_name="form", aria_busy="true")


def _form() -> rx.Component:
    return rx.el.form(
        callout("grey", State.locked, live=False),
        callout("red", State.error, rx.cond(State.stale, _load_again())),
        focus_first_fault(State.errors.length() > 0),
        _user(),
        _role(),
        _accounts(),
        rx.el.div(
            button("Save", kind="primary", type="submit", busy=State.busy),
            link_button("Cancel", href=PATH),
            class_name="form-actions",
        ),
        on_submit=State.save,
        # Sent before the scripts are there, the browser's own GET would put a password into the address.
        method="post",
        no_validate=True,
        auto_complete="off",
        class_name="form user-form",
    )


def _load_again() -> rx.Component:
    return button("Load again, without my changes", small=True, on_click=State.load)


def _section(title: str, *parts: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h2(title), *parts, class_name="card stack", aria_label=title)


def _user() -> rx.Component:
    kinds = [option(key, words) for key, words in TYPES.items()]
    return _section(
        "User",
        rx.cond(
            State.email_fixed,
            text_input("Email", "fixed_email", value=State.user_email, read_only=True),
            text_input(
                "Email",
                "email",
                type="email",
                default_value=State.user_email,
                error=_fault("email"),
                hint="The invitation goes to this address.",
                auto_complete="off",
            ),
        ),
        text_input("Name", "name", default_value=State.user_name, error=_fault("name"), auto_complete="off"),
        select(
            "Type",
            "type",
            kinds,
            value=State.type,
            on_change=State.choose_type,
            disabled=State.type_fixed,
            error=_fault("type"),
            hint=rx.match(
                State.type,
                ("azure", "Signs in with Microsoft."),
                ("google", "Signs in with Google."),
                "Signs in with email and password.",
            ),
        ),
        callout("orange", rx.cond(State.type_works, "", _NOT_SET_UP)),
        rx.cond(State.is_new & (State.type == "email"), _password()),
    )


def _password() -> rx.Component:
    return rx.fragment(
        radio_group(
            "First password",
            "password_mode",
            [
                option("invite", "The user chooses it", "The invitation leads to it."),
                option("typed", "I choose it", "It must be changed at the first sign-in."),
            ],
            value=State.password_mode,
            on_change=State.choose_password_mode,
        ),
        rx.cond(
            State.password_mode == "typed",
            rx.fragment(
                password_input(
                    "Password",
                    "password",
                    error=_fault("password"),
                    hint="12 characters or more.",
                    auto_complete="new-password",
                    after=strength_meter(State.strength, State.strength_words),
                    on_change=State.weigh_password.debounce(300),
                ),
                password_input("Retype password", "retype", error=_fault("retype"), auto_complete="new-password"),
            ),
        ),
    )


def _role() -> rx.Component:
    shut = State.access_fixed | ~State.may_make_administrator
    return _section(
        "Role",
        select(
            "Role",
            "role",
            [option(key, words) for key, words in ROLES.items()],
            value=State.role,
            on_change=State.choose_role,
            disabled=shut,
            error=_fault("role"),
            hint=rx.cond(
                State.role == Role.ADMINISTRATOR,
                "An administrator may do everything.",
                "Tick what the user may do.",
            ),
        ),
        _operations(rx.Var.create(f"{PRODUCT} Operations"), "", State.portal_operations),
        _operations(
            "Account Operations",
            "They can be ticked together with View dashboard or Add new accounts.",
            State.account_operations,
        ),
    )


def _operations(title: str | rx.Var[str], hint: str, operations: rx.Var[list[Operation]]) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(title),
        *([rx.el.p(hint, class_name="field-hint")] if hint else []),
        rx.el.div(rx.foreach(operations, _operation), class_name="choice-columns"),
        class_name="choices",
    )


def _operation(one: rx.Var[Operation]) -> rx.Component:
    return _tick(
        "operation-" + one["key"].to(str),
        one["label"],
        one["ticked"],
        lambda ticked: State.tick_operation(one["key"], ticked),
        one["fixed"],
    )


def _tick(ident: Any, label: Any, ticked: Any, on_change: Any, disabled: Any) -> rx.Component:
    return rx.el.div(
        rx.el.input(
            type="checkbox",
            id=ident,
            class_name="tick",
            default_checked=ticked,
            disabled=disabled,
            on_change=on_change,
            custom_attrs=follows("checked", ticked),
        ),
        rx.el.label(label, html_for=ident),
        class_name="choice",
    )


def _accounts() -> rx.Component:
    return _section(
        "Accessible Accounts",
        radio_group(
            "Which accounts the user sees",
            "which",
            [
                option("all", "All accounts", "Those that are added later, too."),
                option("chosen", "Chosen accounts", "All others do not exist for the user."),
            ],
            value=rx.cond(State.all_accounts, "all", "chosen"),
            on_change=State.choose_all_accounts,
            disabled=State.accounts_fixed,
        ),
        rx.cond(State.all_accounts, rx.fragment(), _choice()),
    )


def _choice() -> rx.Component:
    return rx.fragment(
        rx.el.div(
            rx.el.p(
                f"{State.chosen} of {State.total} accounts chosen", class_name="count", custom_attrs={"role": "status"}
            ),
            search_input(
                "Search accounts",
                value=State.search,
                on_change=State.search_accounts,
                on_clear=State.search_accounts(""),
                placeholder="Name or email",
                name="account-search",
                id="account-search",
            ),
            class_name="toolbar",
        ),
        rx.el.div(
            button(
                rx.cond(State.search != "", f"Tick all {State.matching} that match", f"Tick all {State.matching}"),
                small=True,
                disabled=State.accounts_fixed | (State.matching == 0),
                on_click=State.tick_matching(True),
            ),
            button(
                rx.cond(State.search != "", f"Untick all {State.matching} that match", "Untick all"),
                small=True,
                disabled=State.accounts_fixed | (State.matching == 0),
                on_click=State.tick_matching(False),
            ),
            class_name="row",
        ),
        rx.el.p(State.choice_error, class_name="field-error", custom_attrs={"role": "alert"}),
        rx.el.ul(rx.foreach(State.accounts, _account), class_name="account-ticks", aria_label="Accounts"),
        rx.cond(State.accounts.length() == 0, rx.el.p("No account matches.", class_name="muted")),
        rx.cond(State.pages > 1, _steps()),
    )


def _account(line: rx.Var[AccountTick]) -> rx.Component:
    label = rx.fragment(line["name"], " ", rx.el.span(line["email"], class_name="muted"))
    ident = "account-" + line["id"].to_string()
    return rx.el.li(
        _tick(
            ident,
            label,
            line["ticked"],
            lambda ticked: State.tick_account(line["id"], ticked),
            State.accounts_fixed,
        ),
        key=ident,
    )


def _steps() -> rx.Component:
    parts: Sequence[rx.Component] = (
        button("Previous", small=True, on_click=State.turn_page(-1), disabled=State.page <= 1),
        rx.el.span(f"Page {State.page} of {State.pages}", class_name="num"),
        button("Next", small=True, on_click=State.turn_page(1), disabled=State.page >= State.pages),
    )
    return rx.el.nav(rx.el.div(*parts, class_name="pager-steps"), class_name="pager", aria_label="Pages of accounts")


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
