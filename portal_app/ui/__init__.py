"""Components without state: `from portal_app.ui import button, table, …`. Looks live in assets/*.css."""

from portal_app.ui.base import (
    ask,
    badge,
    button,
    callout,
    dot,
    icon,
    icon_button,
    instant,
    kbd,
    link,
    link_button,
    visually_hidden,
)
from portal_app.ui.chart import bar_chart, line_chart
from portal_app.ui.choice import Option, bare_select, checkbox, option, radio_group, select, switch
from portal_app.ui.dialog import autofocus_attrs, confirm, confirm_by_name, dialog
from portal_app.ui.empty import empty_state, error_state
from portal_app.ui.facts import bone, facts
from portal_app.ui.field import (
    fault_in,
    field,
    focus_first_fault,
    password_input,
    search_input,
    short_field,
    strength_meter,
    text_area,
    text_input,
)
from portal_app.ui.listing import Filter, ask_for, bulk_bar, filter_chip, listing, pager, short_pager, steps
from portal_app.ui.menu import MenuItem, hide_popover, menu, menu_rule, popover
from portal_app.ui.one_time import code_input, qr_code, recovery_codes
from portal_app.ui.passkey import passkey_form
from portal_app.ui.progress import progress
from portal_app.ui.table import Column, Sort, Ticks, cell, cut, head_cell, row_link, skeleton_rows, table
from portal_app.ui.widget import Figure, widget

__all__ = [
    "Column",
    "Figure",
    "Filter",
    "MenuItem",
    "Option",
    "Sort",
    "Ticks",
    "ask",
    "ask_for",
    "autofocus_attrs",
    "badge",
    "bar_chart",
    "bare_select",
    "bone",
    "bulk_bar",
    "button",
    "callout",
    "cell",
    "checkbox",
    "code_input",
    "confirm",
    "confirm_by_name",
    "cut",
    "dialog",
    "dot",
    "empty_state",
    "error_state",
    "facts",
    "fault_in",
    "field",
    "filter_chip",
    "focus_first_fault",
    "head_cell",
    "hide_popover",
    "icon",
    "icon_button",
    "instant",
    "kbd",
    "line_chart",
    "link",
    "link_button",
    "listing",
    "menu",
    "menu_rule",
    "option",
    "pager",
    "passkey_form",
    "password_input",
    "popover",
    "progress",
    "qr_code",
    "radio_group",
    "recovery_codes",
    "row_link",
    "search_input",
    "select",
    "short_field",
    "short_pager",
    "skeleton_rows",
    "steps",
    "strength_meter",
    "switch",
    "table",
    "text_area",
    "text_input",
    "visually_hidden",
    "widget",
]
