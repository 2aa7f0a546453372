"""Nothing secret gets into a log, whoever writes the line: the portal, Reflex, the server, a library, a trace."""

import json
import logging
import re
from copy import copy
from datetime import UTC, datetime

from portal_app import traces
from portal_app.settings import settings

_HIDDEN = "…"
# What stands after one of these words is never written, whatever it is.
_NAMES = (
    r"(?:(?:set-)?cookie|(?:proxy-)?authorization|x-api-key|ticket|recovery[_-]code"
    r"|[\w-]*passw(?:or)?d[\w-]*|[\w-]*secret[\w-]*)"
)
_QUOTED = r"""b?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_RULES = (
    # The portal's own tokens, wherever they stand. The word before stays: it says what was there.
    (re.compile(r"ppt_[\w-]{4,}"), f"ppt_{_HIDDEN}"),
    (re.compile(r"(portal_session=)[^\s;,\"']+"), rf"\1{_HIDDEN}"),
    # One-use links and answers of sign-in providers.
    (re.compile(r"([?&;](?:token|ticket|code|state|nonce|key|signature)=)[^\s&#\"'<>]+", re.I), rf"\1{_HIDDEN}"),
    # A value in a dictionary, a tuple of header pairs, JSON or an assignment.
    (re.compile(rf"""(b?["']{_NAMES}["']\s*[:=,]\s*){_QUOTED}""", re.I), rf"\1'{_HIDDEN}'"),
    (re.compile(rf"\b({_NAMES}=){_QUOTED}", re.I), rf"\1'{_HIDDEN}'"),
    # A header line, or the fields of a form.
    (re.compile(r"\b((?:set-)?cookie|(?:proxy-)?authorization)(:\s*)[^\r\n\"']+", re.I), rf"\1\2{_HIDDEN}"),
    (re.compile(rf"\b({_NAMES}=)[^\s&\"';]+", re.I), rf"\1{_HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.I), rf"\1 {_HIDDEN}"),
    # The password in the address of a database, a mail server or a proxy.
    (re.compile(r"(\w://[^\s:/@]*:)[^\s/@]+(?=@)"), rf"\1{_HIDDEN}"),
    # 32 random bytes in base64: sessions, tickets and one-use links are written so, by whatever name. Names have no
    # capitals in the middle of 43 characters; so many random ones always do.
    (re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])[\w-]{43}(?![\w-])"), _HIDDEN),
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_format = logging.Handler.format


class OneLine(logging.Formatter):
    """A line of JSON for each record, for programs that gather logs. Its parts are without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """Such as {"time": …, "level": "INFO", "logger": …, "message": …, "request": …}."""
        parts = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            "request": traces.current(),
            "trace": without_secrets(self.formatException(record.exc_info)) if record.exc_info else "",
        }
        return json.dumps({name: part for name, part in parts.items() if part}, ensure_ascii=False)


def begin() -> None:
    """Log as a process of the portal does."""
    logging.basicConfig(level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if settings().log_format == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(OneLine())
    hide_secrets()
    logging.getLogger("alembic").setLevel(logging.WARNING)


def without_secrets(text: str) -> str:
    """The text with what looks like a secret replaced by an ellipsis."""
    for pattern, kept in _RULES:
        text = pattern.sub(kept, text)
    return text


def hide_secrets() -> None:
    """From now on every handler of this process, also one that a library makes later, hides them in what it writes."""
    logging.Handler.format = _format_without_secrets  # type: ignore[method-assign]


def _format_without_secrets(handler: logging.Handler, record: logging.LogRecord) -> str:
    shown = copy(record)
    # What somebody sent must not look like a line of its own.
    shown.msg, shown.args = _CONTROL.sub(lambda sign: repr(sign[0])[1:-1], record.getMessage()), ()
    if isinstance(handler.formatter, OneLine):
        # What hides secrets in the whole line could also take its quotes away.
        return _format(handler, shown)
    if mark := traces.current():
        shown.msg = f"[{mark}] {shown.msg}"
    return without_secrets(_format(handler, shown))
