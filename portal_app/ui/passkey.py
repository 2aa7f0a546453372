"""Asks the browser for a passkey: the options come in a hidden field, the answer leaves in another."""

from typing import Any, Literal

import reflex as rx
from reflex.vars import FunctionStringVar

from portal_app.ui.kinds import Text

# Compiled into the page: nothing here is made of what the server sends.
_ASK = """(async () => {{
  const form = document.getElementById({ident!r});
  try {{
    const publicKey = PublicKeyCredential.parse{kind}OptionsFromJSON(JSON.parse(form.elements.options.value));
    const made = await navigator.credentials.{method}({{ publicKey }});
    form.elements.answer.value = JSON.stringify(made.toJSON());
  }} catch (fault) {{ form.elements.fault.value = fault.name; }}
  document.getElementById({ident!r})?.requestSubmit();
}})"""


def passkey_form(options: Text, ceremony: Literal["create", "get"], *, id: str, on_answer: Any) -> rx.Component:
    """While `options` (JSON) is not empty the browser asks for a passkey; `on_answer` gets the form with

    `answer` (JSON), or with `fault`, the name of what went wrong there. It must empty `options`.
    """
    kind = "Creation" if ceremony == "create" else "Request"
    fields = (
        rx.el.input(type="hidden", name="options", value=options, read_only=True),
        rx.el.input(type="hidden", name="answer"),
        rx.el.input(type="hidden", name="fault"),
    )
    ask = FunctionStringVar.create(_ASK.format(ident=id, kind=kind, method=ceremony))
    form = rx.el.form(*fields, id=id, on_submit=on_answer, on_mount=ask, method="post", hidden=True)
    return rx.cond(options != "", form)
