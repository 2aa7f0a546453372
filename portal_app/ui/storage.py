"""The fields of a storage's credentials, by its kind."""

from collections.abc import Callable

import reflex as rx

from portal_app.ui.field import password_input, text_area, text_input

_KEYS = (("access_key_id", "Access key ID"), ("secret_access_key", "Secret access key"))
_SECRETS = frozenset({"secret_access_key", "account_key"})
Fault = Callable[[str], rx.Var[str]]


def storage_fields(kind: rx.Var[str], fault: Fault, *, prefix: str) -> rx.Component:
    """What is asked for a storage of the kind; nothing for any other. `fault` gives a field's, by its name.

    `prefix` begins the names of the fields in the form.
    """

    def of(*fields: tuple[str, str]) -> rx.Component:
        return rx.fragment(*(_credential(name, label, fault, prefix) for name, label in fields))

    endpoint = ("endpoint_url", "Endpoint URL")
    azure = (("account_name", "Storage account name"), ("container", "Container"), ("account_key", "Account key"))
    return rx.fragment(
        rx.match(
            kind,
            ("aws_s3", of(("bucket", "Bucket"), ("region", "Region"), *_KEYS)),
            ("s3_compatible", of(endpoint, ("bucket", "Bucket"), ("region", "Region (optional)"), *_KEYS)),
            ("google_cloud", _google(fault, prefix)),
            ("azure", of(*azure)),
            rx.fragment(),
        )
    )


def _credential(name: str, label: str, fault: Fault, prefix: str) -> rx.Component:
    make = password_input if name in _SECRETS else text_input
    return make(label, prefix + name, error=fault(name), auto_complete="off")


def _google(fault: Fault, prefix: str) -> rx.Component:
    return rx.fragment(
        _credential("bucket", "Bucket", fault, prefix),
        text_area(
            "Service account key (JSON)",
            prefix + "service_account_key",
            error=fault("service_account_key"),
            rows="5",
            spell_check=False,
        ),
    )
