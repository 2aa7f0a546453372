"""The words that the components share: status names, and values that may be plain or a Var."""

from typing import Any, Literal, TypeAlias

import reflex as rx

Kind: TypeAlias = Literal["green", "orange", "red", "grey"]
KindLike: TypeAlias = Kind | rx.Var[str]
Text: TypeAlias = str | rx.Var[str]
Number: TypeAlias = int | float | str | rx.Var
Flag: TypeAlias = bool | rx.Var[bool]
Node: TypeAlias = rx.Component | rx.Var | str
Event: TypeAlias = Any  # what an on_… prop takes: a handler, a spec, a list of them


def either(a: Flag, b: Flag) -> Flag:
    """`a or b`, where each may be a Var."""
    if a is False:
        return b
    if b is False:
        return a
    return rx.Var.create(a).bool() | rx.Var.create(b).bool()


def classes(*names: Text) -> str:
    """Joins class names; a Var among them stays live."""
    return " ".join(f"{name}" for name in names if isinstance(name, rx.Var) or name)


def inline(**styles: Any) -> dict[str, Any]:
    """`custom_attrs` for a plain style attribute (names in camelCase, custom properties as given): no CSS-in-JS."""
    return {"style": styles}


def plain_id(ident: str) -> rx.Var[str]:
    """An id that makes no React ref: Reflex would send a control with a ref a second time, under its id."""
    return rx.Var.create(ident)


def follows(prop: str, value: Any) -> dict[str, Any]:
    """Ties a native control's `checked` or `value` to the server without making the user wait for it.

    The browser shows the choice at once; a render sets what the server says only when that is new, as the answer to
    an earlier choice may come first. What the server leaves as it was shows again a second later. (React's own
    controlled inputs jump back until the answer is there.)
    """
    var = rx.Var.create(value)
    sync = rx.Var(
        f"((el) => {{ const said = {var!s}; if (!el) return;"
        f" if (el.said !== said) {{ el.{prop} = said; el.said = el.{prop}; }}"
        f" else if (el.{prop} !== said) setTimeout(() => {{ el.{prop} = el.said; }}, 1000); }})",
        _var_data=var._get_all_var_data(),
    )
    return {"ref": sync}
