"""The log of a run: what the tools complained of, without secrets, and only its end."""

import json
from collections import deque
from collections.abc import Iterable

from portal_app import logs

_LINES, _LENGTH, _WHOLE = 400, 400, 20_000


class Log:
    """Keeps the last lines; `secrets` are in none of them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._secrets = sorted((one for text in secrets for one in text.split("\n") if len(one) > 3), key=len)

    def note(self, text: str) -> None:
        """Add a line of our own, or one that a tool said."""
        for secret in reversed(self._secrets):
            text = text.replace(secret, "…")
        text = logs.without_secrets(text)
        self._lines.append("".join(char if char.isprintable() else " " for char in text)[:_LENGTH])

    def take(self, line: bytes) -> None:
        """Take a line of restic or rclone; what is no complaint is left out."""
        if complaint := _complaint(line.decode("utf-8", "replace").strip()):
            self.note(f"  {complaint}")

    @property
    def text(self) -> str:
        """All lines, cut at the front when they are too long."""
        return "\n".join(self._lines)[-_WHOLE:]


def _complaint(text: str) -> str:
    if text.startswith("Fatal:"):
        return text
    if not text.startswith("{") or '"message_type":"status"' in text:
        return ""
    try:
        said = json.loads(text)
    except ValueError:
        return ""
    if said.get("message_type") == "error":
        fault = said.get("error")
        told = fault.get("message", "") if isinstance(fault, dict) else fault
        return f"{said.get('item', '')}: {told}"
    if said.get("level") in {"error", "critical"}:
        return f"{said.get('object') or ''}: {said.get('msg', '')}".lstrip(": ")
    return ""
