"""What the pages of tickets share: the conversation, the files of a form, and fields that forget nothing."""

import json
from typing import Any

import reflex as rx
from reflex.vars import FunctionStringVar

from portal_app.shell.state import ShellState
from portal_app.tickets.kinds import ACCEPTED, MOST_BYTES, MOST_FILES
from portal_app.tickets.lines import FileLine, MessageLine
from portal_app.tickets.query import PATH
from portal_app.ui import badge, icon_button, instant, link
from portal_app.ui.base import icon
from portal_app.ui.kinds import Number, classes, plain_id

# One file after the other goes to the portal; then the hidden form says what came of it. Only our own words are shown.
_SEND = """(async (e) => {{
  const input = e.target, said = document.getElementById("files-under-way");
  let problem = "";
  input.disabled = true;
  for (const file of [...input.files]) {{
    if (file.size > {most}) {{ problem = "large"; continue; }}
    said.textContent = "Sending " + file.name + " …";
    const body = new FormData();
    body.append("ticket", input.dataset.ticket);
    body.append("file", file);
    try {{
      const answer = await fetch({path}, {{ method: "POST", body }});
      if (!answer.ok) problem = await answer.text();
    }} catch {{ problem = "unreadable"; }}
  }}
  said.textContent = "";
  input.value = "";
  input.disabled = false;
  const form = document.getElementById("files-came");
  form.elements.problem.value = problem;
  form.requestSubmit();
}})"""
# A field marked with who types in it is kept in this tab until the form was sent. What an address says comes first.
_KEY = '"typed:" + field.dataset.kept + ":" + location.pathname.replace(/[/]$/, "") + ":" + field.name'
_KEEP = f"""(() => {{
  const said = new URLSearchParams(location.search);
  for (const field of document.querySelectorAll("[data-kept]")) {{
    const key = {_KEY}, kept = sessionStorage.getItem(key);
    if (kept !== null && !said.has(field.name)) field.value = kept;
    field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
  }}
}})"""
_FORGET = f"""(() => {{
  for (const field of document.querySelectorAll("[data-kept]")) {{
    sessionStorage.removeItem({_KEY});
    if (field.tagName === "TEXTAREA") field.value = "";
  }}
}})"""


def kept() -> dict[str, Any]:
    """`custom_attrs` of a field whose text outlives a reload, a new sign-in and a restart of the portal."""
    return {"data-kept": ShellState.email}


def keeper(sent: rx.Var[bool]) -> rx.Component:
    """Stands last in a form with kept fields; forgets them once it was sent."""
    return rx.fragment(
        rx.el.span(hidden=True, on_mount=FunctionStringVar.create(_KEEP)),
        rx.cond(sent, rx.el.span(hidden=True, on_mount=FunctionStringVar.create(_FORGET))),
    )


def back() -> rx.Component:
    """The way to the list."""
    return rx.el.nav(link(icon("arrow-left"), "My Tickets", href=PATH), class_name="crumbs", aria_label="Back")


def turn(state: Any) -> rx.Component:
    """Says in a form which of its sendings this is."""
    return rx.el.input(type="hidden", name="turn", value=state.turn, read_only=True)


def conversation(messages: rx.Var[list[MessageLine]]) -> rx.Component:
    """The messages, oldest first."""
    return rx.el.ol(rx.foreach(messages, _message), class_name="conversation", aria_label="Conversation")


def _message(line: rx.Var[MessageLine]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(line["author"], class_name="strong"),
            rx.cond(
                line["kind"] == "note",
                badge("orange", line["role"], pill=True),
                rx.cond(line["role"] != "", badge("accent", line["role"], pill=True)),
            ),
            rx.el.span(instant(line["made"]), class_name="muted small"),
            class_name="message-head",
        ),
        rx.el.p(line["text"], class_name="message-text", dir="auto"),
        rx.cond(
            line["files"].to(list[FileLine]).length() > 0,
            rx.el.ul(rx.foreach(line["files"].to(list[FileLine]), _file), class_name="files", aria_label="Files"),
        ),
        key=line["id"],
        class_name=classes("message", f"is-{line['kind']}"),
    )


def _file(file: rx.Var[FileLine]) -> rx.Component:
    return rx.el.li(
        icon("file-text"),
        link(file["name"], href=file["href"], download=True, class_name="cut", title=file["name"]),
        rx.el.span(file["size"], class_name="muted small nowrap"),
    )


def file_field(state: Any, path: str, ticket: Number) -> rx.Component:
    """The files of a form, sent to `path` as they are chosen: what is wrong with one is said before all is sent."""
    return rx.el.div(
        rx.el.label("Files", html_for="ticket-files"),
        rx.el.input(
            type="file",
            id=plain_id("ticket-files"),
            multiple=True,
            accept=ACCEPTED,
            class_name="control",
            aria_describedby="ticket-files-hint ticket-files-error",
            custom_attrs={
                "data-ticket": ticket,
                # Not on_change: that hands over the field's value, and the files are elsewhere.
                "onChange": FunctionStringVar.create(_SEND.format(most=MOST_BYTES, path=json.dumps(path))),
            },
        ),
        rx.el.p(
            f"Up to {MOST_FILES} files of 10 MB each: pictures, PDF, text, Office, ZIP.",
            id="ticket-files-hint",
            class_name="field-hint",
        ),
        rx.el.p(id="files-under-way", class_name="field-hint", custom_attrs={"role": "status"}),
        rx.el.p(state.file_error, id="ticket-files-error", class_name="field-error", aria_live="polite"),
        rx.cond(
            state.files.length() > 0,
            rx.el.ul(
                rx.foreach(state.files, lambda file: _waiting(state, file)),
                class_name="files",
                aria_label="Files to send",
            ),
        ),
        class_name="field",
    )


def _waiting(state: Any, file: rx.Var[FileLine]) -> rx.Component:
    return rx.el.li(
        icon("file-text"),
        rx.el.span(file["name"], class_name="cut", title=file["name"]),
        rx.el.span(file["size"], class_name="muted small nowrap"),
        icon_button("Remove " + file["name"].to(str), "x", on_click=state.drop_file(file["id"])),
    )


def files_came(state: Any) -> rx.Component:
    """Beside the form, as no form stands in another: tells the portal that the browser has sent files."""
    return rx.el.form(
        rx.el.input(type="hidden", name="problem"),
        id="files-came",
        on_submit=state.files_came,
        method="post",
        hidden=True,
    )
