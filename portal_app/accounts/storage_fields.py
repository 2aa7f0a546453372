"""The fields of a storage's credentials, by its kind."""

from collections.abc import Callable

import reflex as rx

from portal_app.accounts.storage_credentials import FIELD_PREFIX
from portal_app.ui import password_input, text_area, text_input

_KEYS = (("access_key_id", "Access key ID"), ("secret_access_key", "Secret access key"))
_SECRETS = frozenset({"secret_access_key", "account_key"})
Fault = Callable[[str], rx.Var[str]]


def storage_fields(kind: rx.Var[str], fault: Fault) -> rx.Component:
    """What is asked for a storage of the kind; nothing for any other. `fault` gives a field's, by its name."""

    def of(*fields: tuple[str, str]) -> rx.Component:
        return rx.fragment(*(_credential(name, label, fault) for name, label in fields))

    endpoint = ("endpoint_url", "Endpoint URL")
    azure = (("account_name", "Storage account name"), ("container", "Container"), ("account_key", "Account key"))
    return rx.fragment(
        rx.match(
            kind,
            ("aws_s3", of(("bucket", "Bucket"), ("region", "Region"), *_KEYS)),
            ("s3_compatible", of(endpoint, ("bucket", "Bucket"), ("region", "Region (optional)"), *_KEYS)),
            ("google_cloud", _google(fault)),
            ("azure", of(*azure)),
            rx.fragment(),
        )
    )


def _credential(name: str, label: str, fault: Fault) -> rx.Component:
    make = password_input if name in _SECRETS else text_input
    return make(label, FIELD_PREFIX + name, error=fault(name), auto_complete="off")


def _google(fault: Fault) -> rx.Component:
    return rx.fragment(
        _credential("bucket", "Bucket", fault),
        text_area(
            "Service account key (JSON)",
            FIELD_PREFIX + "service_account_key",
            error=fault("service_account_key"),
            rows="5",
            spell_check=False,
        ),
    )
