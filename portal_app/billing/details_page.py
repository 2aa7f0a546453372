"""`/billing/payment-details`."""

from typing import Any

import reflex as rx

from portal_app.billing import tax_ids
from portal_app.billing.cards import CardRow
from portal_app.billing.details import PAYMENT_DAYS, TITLES
from portal_app.billing.details_state import PaymentDetailsState as State
from portal_app.billing.leaving_components import leaving_form
from portal_app.shell.layout import billing_page
from portal_app.ui import (
    Column,
    badge,
    button,
    callout,
    confirm,
    empty_state,
    fault_in,
    focus_first_fault,
    option,
    radio_group,
    select,
    table,
    text_area,
    text_input,
)

CARD_COLUMNS = (
    Column("Card", "short"),
    Column("Status", "status"),
    Column("Change", "action"),
)
NEEDED = "Monthly subscriptions that are paid by credit card need one."
NOT_NEEDED = "You are billed by invoice and need none."


@billing_page("/billing/payment-details", "Payment Details", load=State.load, help_topic="payment-details")
def payment_details() -> rx.Component:
    """The stored cards, and whom the bills are made out to."""
    return rx.fragment(
        # The fields take what is saved when they are made: not before it is there.
        rx.cond(
            State.ready,
            rx.el.div(_cards(), _form(), class_name="form"),
            rx.el.div(class_name="skeleton form-skeleton", aria_hidden="true"),
        ),
        _delete_dialog(),
        leaving_form(State.leave_for),
    )


def _cards() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Credit Card Details"),
            button("Add New Card", icon="plus", small=True, busy=State.adding, on_click=State.add_card),
            class_name="card-head",
        ),
        rx.el.p(
            "The number is typed on the payment processor's page. Here only its last four digits and its expiry are "
            "kept.",
            class_name="muted",
        ),
        table(
            "Cards",
            CARD_COLUMNS,
            State.cards,
            _card,
            row_key=lambda card: card.id,
            empty=empty_state("credit-card", "No card is stored", rx.cond(State.by_invoice, NOT_NEEDED, NEEDED)),
        ),
        class_name="card stack",
        aria_label="Credit Card Details",
    )


def _card(card: rx.Var[CardRow]) -> list[Any]:
    name = card.brand + " ending in " + card.last4
    activate = button(
        "Activate Card",
        small=True,
        title="Charge " + name,
        busy=State.activating_id == card.id,
        on_click=State.activate(card.id),
    )
    delete = button("Delete Card", small=True, title="Delete " + name, on_click=State.ask(card.id))
    status = rx.cond(card.active, badge("green", "Active"), badge("grey", "Not used"))
    return [
        rx.el.div(name, rx.el.span("Expires " + card.expiry, class_name="muted num"), class_name="two-lines"),
        rx.cond(card.expired, badge("red", "Expired"), status),
        rx.el.div(rx.cond(card.active, rx.fragment(), activate), delete, class_name="row-buttons"),
    ]


def _delete_dialog() -> rx.Component:
    return confirm(
        State.asked != "",
        "Delete this card?",
        State.asked + " is not charged any more. If another card is stored, that one is charged instead.",
        id="delete-card-dialog",
        act="Delete",
        on_confirm=State.delete,
        on_close=State.close,
        busy=State.deleting,
        danger=True,
    )


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", State.error),
        focus_first_fault(State.error != ""),
        _section("Billing Details", *_person(), *_company(), *_contact()),
        _section("Payment", *_payment()),
        rx.el.div(
            button("Update Billing Details", kind="primary", type="submit", busy=State.saving),
            class_name="form-actions",
        ),
        key=State.edition,
        on_submit=State.save,
        method="post",
        no_validate=True,
        class_name="form",
    )


def _section(title: str, *fields: rx.Component) -> rx.Component:
    return rx.el.section(rx.el.h2(title), *fields, class_name="card stack", aria_label=title)


def _field(label: str, name: str, **props: Any) -> rx.Component:
    return text_input(label, name, default_value=State.saved[name], error=_fault(name), **props)


def _select(label: str, name: str, options: list[Any], **props: Any) -> rx.Component:
    return select(label, name, options, default_value=State.saved[name], error=_fault(name), **props)


def _person() -> tuple[rx.Component, ...]:
    titles = [option("", "None"), *(option(one) for one in TITLES)]
    return (
        _select("Title", "title", titles, auto_complete="honorific-prefix"),
        _field("First Name", "first_name", auto_complete="given-name"),
        _field("Last Name", "last_name", auto_complete="family-name"),
    )


def _company() -> tuple[rx.Component, ...]:
    return (
        _field("Company Name", "company", required=True, auto_complete="organization"),
        _field(
            "Company Tax Id",
            "tax_id",
            hint="In Europe your VAT number: its check digit is verified.",
            auto_complete="off",
            spell_check=False,
        ),
        text_area(
            "Address",
            "address",
            default_value=State.saved["address"],
            error=_fault("address"),
            auto_complete="street-address",
        ),
        _field("Zip/Postal Code", "zip", auto_complete="postal-code"),
        _field("City", "city", auto_complete="address-level2"),
        _select(
            "Country",
            "country",
            [option("", "Choose a country"), *(option(code, name) for code, name in tax_ids.countries().items())],
            required=True,
            auto_complete="country",
        ),
    )


def _contact() -> tuple[rx.Component, ...]:
    return (
        _field(
            "Email", "email", type="email", hint="Bills and receipts go there.", required=True, auto_complete="email"
        ),
        _field("Phone", "phone", type="tel", auto_complete="tel"),
    )


def _payment() -> tuple[rx.Component, ...]:
    return (
        text_input("Currency", "currency", value=State.currency, read_only=True, hint="Only the provider changes it."),
        _select(
            "Payment Day",
            "payment_day",
            [option(str(day)) for day in PAYMENT_DAYS],
            hint="On this day of the month the consolidated bill of your monthly subscriptions is made, for the month "
            "that follows. In a shorter month it is the last day.",
        ),
        radio_group(
            "Email Invoice/Receipt",
            "delivery",
            [
                option("link", "Link", "The mail leads to the document here; it asks to sign in."),
                option("attachment", "Attachment", "The mail carries the document itself."),
            ],
            default_value=State.saved["delivery"],
            error=_fault("delivery"),
        ),
    )


def _fault(name: str) -> rx.Var[str]:
    return fault_in(State.errors, name)
