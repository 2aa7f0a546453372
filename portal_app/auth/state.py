"""What every open tab keeps: whose it is, and why it was last refused."""

import reflex as rx


class SessionState(rx.State):
    """Bound to one login session by the guard; `denied` is the sentence of the last refusal."""

    _owner: str = ""
    denied: str = ""
