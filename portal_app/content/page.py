"""`/operator/content`, `/operator/content/new` and `/operator/content/[content_page]`."""

from typing import Any

import reflex as rx

from portal_app.content.editor_state import ContentEditorState as Editor
from portal_app.content.editor_state import FileLine
from portal_app.content.forms import LONGEST_BODY
from portal_app.content.query import KINDS, PATH, STANDINGS
from portal_app.content.state import ContentState as State
from portal_app.content.state import Line
from portal_app.content.uploads import MOST_BYTES, TAKEN
from portal_app.shell.layout import operator_page
from portal_app.ui import (
    Column,
    Filter,
    badge,
    button,
    callout,
    confirm,
    dialog,
    empty_state,
    fault_in,
    focus_first_fault,
    icon_button,
    instant,
    link,
    link_button,
    listing,
    option,
    row_link,
    select,
    text_area,
    text_input,
)

COLUMNS = (
    Column("Title", "name", sort="title"),
    Column("Kind", "short", sort="kind"),
    Column("Section", "text", sort="section", on_card=False),
    Column("State", "status", sort="standing"),
    Column("Changed", "date", sort="changed", on_card=False),
)
# The page stays, with what was typed in it; the hidden button then asks for the files as they are now.
_SEND = """(async () => {
  const field = document.getElementById('content-file'), fault = document.getElementById('content-file-fault');
  const tell = (words) => { fault.textContent = words; };
  tell('');
  if (!field.files.length) return tell('Choose a file first.');
  if (field.files[0].size > %d) return tell('The file is too large: %d MB at most.');
  const form = new FormData();
  form.set('file', field.files[0]);
  try {
    const answer = await fetch('/operator/content/files/' + %s, {method: 'POST', body: form});
    if (!answer.ok) return tell((await answer.text()).slice(0, 300) || 'The file was not taken.');
    field.value = '';
    document.getElementById('content-files-again').click();
  } catch { tell('The file did not arrive. Please try again.'); }
})"""


@operator_page(PATH, "Content", load=State.load, help_topic="operator-content")
def content() -> rx.Component:
    """All pages, delivered ones and operators' own."""
    return listing(
        State,
        "Content",
        COLUMNS,
        _cells,
        loading=State.loading,
        path=PATH,
        placeholder="Title",
        filters=(
            Filter("Kind", "kind", State.kind, dict(KINDS)),
            Filter("State", "standing", State.standing, {key: words for key, (words, _) in STANDINGS.items()}),
        ),
        no_match=("No page matches", "No page has all that the search and the filters ask for.", "Show all pages"),
        tools=[link_button("+ New page", href=f"{PATH}/new", kind="primary")],
        linked=True,
    )


def _cells(line: rx.Var[Line]) -> list[Any]:
    return [
        rx.el.div(
            row_link(line["title"], line["href"]),
            rx.cond(line["note"], rx.el.span(line["note"], class_name="cut muted")),
            class_name="two-lines",
        ),
        line["kind"],
        line["section"],
        badge(line["standing_kind"], line["standing"]),
        instant(line["changed"]),
    ]


@operator_page(f"{PATH}/new", "New page", load=Editor.load, help_topic="operator-content")
def new_content() -> rx.Component:
    """The form of a new page."""
    return _editor()


@operator_page(f"{PATH}/[content_page]", "Edit page", load=Editor.load, help_topic="operator-content")
def edit_content() -> rx.Component:
    """The form of a page that is there."""
    return _editor()


def _editor() -> rx.Component:
    gone = empty_state(
        "file-x", "There is no such page", "It may have been deleted.", link_button("Show all pages", href=PATH)
    )
    bars = rx.el.div(*(rx.el.span(class_name="skeleton") for _ in range(6)), class_name="card stack", aria_busy="true")
    ready = rx.el.div(_form(), rx.cond(Editor.page_id > 0, _files()), _preview(), _question(), class_name="stack")
    return rx.fragment(rx.match(Editor.phase, ("missing", gone), ("ready", ready), bars))


def _form() -> rx.Component:
    return rx.el.form(
        callout("red", Editor.error, rx.cond(Editor.stale, _again())),
        callout(
            "grey",
            rx.cond(
                Editor.over & (Editor.page_id == 0), "You write over a page that is delivered with the portal.", ""
            ),
            live=False,
        ),
        focus_first_fault(Editor.errors.length() > 0),
        rx.el.div(
            rx.el.section(_title(), _text(), class_name="card stack"),
            rx.el.section(_place(), _standing(), class_name="card stack"),
            class_name="with-aside",
        ),
        rx.el.div(
            button("Save", kind="primary", type="submit", busy=Editor.busy),
            button("Preview", on_click=Editor.show_preview),
            link_button("Cancel", href=PATH),
            rx.cond(
                Editor.page_id > 0,
                button(rx.cond(Editor.over, "Back to the delivered page", "Delete"), icon="bin", on_click=Editor.ask),
            ),
            class_name="form-actions",
        ),
        on_submit=Editor.save,
        method="post",
        no_validate=True,
        auto_complete="off",
        class_name="form form-wide",
    )


def _again() -> rx.Component:
    return button("Load again, without my changes", small=True, on_click=Editor.load)


def _title() -> rx.Component:
    return rx.fragment(
        _field("Title", "title", required=True),
        _field("Summary", "summary", hint="One line for lists and searches."),
    )


def _text() -> rx.Component:
    return text_area(
        "Text",
        "body",
        default_value=Editor.saved["body"],
        error=_fault("body"),
        hint="Markdown: ## heading, **bold**, - list, [words](address), ![picture](name.png), ![video](name.webm). "
        "No HTML.",
        rows="22",
        max_length=LONGEST_BODY,
        spell_check=True,
        on_blur=Editor.note_body,
    )


def _place() -> rx.Component:
    fixed = (Editor.page_id > 0) | Editor.over
    kinds = [option(key, words) for key, words in KINDS.items()]
    return rx.fragment(
        select("Kind", "kind", kinds, value=Editor.kind, on_change=Editor.choose_kind, disabled=fixed),
        rx.cond(
            fixed,
            text_input("Name in addresses", "fixed_slug", value=Editor.saved["slug"], read_only=True),
            _field("Name in addresses", "slug", hint="Such as a-card-was-refused. It can't be changed later."),
        ),
        _field(
            "Section",
            "section",
            hint=rx.match(
                Editor.kind,
                ("article", "getting-started, my-account, solutions, user-guides, videos, legal or operators."),
                ("lesson", "The course that it belongs to, by its name in addresses."),
                ("news", "Not needed."),
                "What it is listed under.",
            ),
        ),
        _field("Position", "position", input_mode="numeric", hint="The lowest stands first."),
    )


def _standing() -> rx.Component:
    return rx.fragment(
        select(
            "State",
            "state",
            [option("draft", "Draft"), option("published", "Published")],
            default_value=Editor.saved["state"],
            error=_fault("state"),
            hint="Partners see what is published.",
        ),
        _field(
            "Publish on (UTC)",
            "publish_on",
            type="datetime-local",
            hint="Not before this time. Empty: when you save it as published.",
        ),
    )


def _field(label: str, name: str, **props: Any) -> rx.Component:
    return text_input(label, name, default_value=Editor.saved[name], error=_fault(name), **props)


def _fault(name: str) -> rx.Var[str]:
    return fault_in(Editor.errors, name)


def _files() -> rx.Component:
    send = rx.Var(
        _SEND % (MOST_BYTES, MOST_BYTES // 1_000_000, str(Editor.page_id)), _var_data=Editor.page_id._get_all_var_data()
    )
    return rx.el.section(
        rx.el.h2("Files"),
        rx.el.p("Pictures, videos and downloads. In the text, write just their names.", class_name="muted"),
        rx.el.p(id="content-file-fault", class_name="field-error", custom_attrs={"role": "alert"}),
        rx.el.button("Show files", id="content-files-again", type="button", hidden=True, on_click=Editor.uploaded),
        rx.el.ul(rx.foreach(Editor.files, _file), class_name="plain"),
        rx.el.div(
            rx.el.label("File", html_for="content-file"),
            rx.el.input(type="file", id="content-file", accept=",".join(sorted(TAKEN)), class_name="control"),
            button("Upload", on_click=rx.call_function(send)),
            class_name="row",
        ),
        class_name="card stack",
        aria_label="Files",
    )


def _file(file: rx.Var[FileLine]) -> rx.Component:
    label = "Delete " + file["name"].to(str)
    return rx.el.li(
        link(file["name"], href=file["href"], external=True),
        rx.el.span(file["size"], class_name="muted"),
        icon_button(label, "bin", danger=True, on_click=Editor.remove_file(file["name"])),
        class_name="row",
    )


def _preview() -> rx.Component:
    return dialog(
        Editor.preview != "",
        "Preview",
        rx.html(Editor.preview, class_name="prose"),
        id="content-preview",
        on_close=Editor.close_preview,
        wide=True,
    )


def _question() -> rx.Component:
    return confirm(
        Editor.asking,
        rx.cond(Editor.over, "Back to the delivered page?", "Delete this page?"),
        rx.cond(
            Editor.over,
            "Your text and its files are deleted. The page that is delivered with the portal shows again.",
            "The page and its files are deleted for good.",
        ),
        id="content-question",
        act="Delete",
        on_confirm=Editor.remove,
        on_close=Editor.close,
        danger=True,
    )
