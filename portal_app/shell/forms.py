"""A form that the browser itself sends: the only road on which the session cookie can be set."""

from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar
from reflex_components_core.el.elements.base import BaseHTML


class NativeForm(BaseHTML):
    """`<form>` without Reflex's own submit handler, which would keep the browser from sending it."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def native_form(*children: Any, action: str, **props: Any) -> rx.Component:
    """A form posted to an HTTP route of the portal."""
    return NativeForm.create(*children, action=action, method="post", **props)


def send_on_mount(form_id: str) -> Any:
    """An `on_mount` that sends the form at once."""
    return FunctionStringVar.create(f"(() => document.getElementById({form_id!r}).submit())")
