"""What a log line must never hold, in every shape that something may write it."""

import io
import json
import logging
from collections.abc import Callable

import pytest

from portal_app import logs, traces
from portal_app.settings import reset_settings

TOKEN = "iSz1TuKu3Ct0oaUyCmqkCdVWd7qPD0tSYAc1Hsu3D4I"
SECRET = "hunter2-and-more"
LINES = [
    f"Cookie: portal_session={TOKEN}; other=1",
    f"cookie: a=b; __Host-portal_session={SECRET}",
    f"{{'cookie': 'portal_session={SECRET}', 'host': 'x'}}",
    f"[(b'host', b'x'), (b'cookie', b'portal_session={SECRET}'), (b'accept', b'*')]",
    f"(b'authorization', b'Bearer {SECRET}')",
    f"Authorization: Bearer {SECRET}",
    f'{{"Authorization": "Basic {SECRET}"}}',
    f"Set-Cookie: portal_session={SECRET}; HttpOnly",
    f"bad token ppt_{TOKEN} of the engine",
    f"token ppt_{SECRET}",
    f"GET /reset?token={SECRET} HTTP/1.1",
    f"GET /invitation?a=1&token={SECRET}#x",
    f"http://127.0.0.1/auth/google?state=x&code={SECRET}",
    f"{{'password': '{SECRET}'}}",
    f'{{"form": {{"new_password": "{SECRET}", "email": "a@b.example"}}}}',
    f"{{'password': 'with \\' quote {SECRET}'}}",
    f"password={SECRET}&email=x",
    f"User(password='{SECRET}', email='x')",
    f"client_secret={SECRET}",
    f"postgresql+psycopg://portal:{SECRET}@db.example/portal",
    f"redis://:{SECRET}@cache.example:6379/0",
    f"ticket {TOKEN} was used before",
    f"'{TOKEN}'",
    f"/x/{TOKEN}",
]
PLAIN = [
    "2026-11-24 19:00:00 INFO portal.jobs.cycle cycle of 2026-11-24: 3 accounts, 0 failed",
    "refused dashboard_state.load policy=dashboard:view user=7 address=192.0.2.7",
    'File "/srv/portal/portal_app/auth/service.py", line 20, in sign_in',
    "a password was changed; the token is old",
    "GET /?status=trial_expired&page=2 200",
    "reference 1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b",
    "reflex___state____state.portal_app___auth___x",
    "e3b0c442-98fc-1c14-9afb-f4c8996fb924",
]


@pytest.mark.parametrize("line", LINES)
def test_a_secret_is_hidden_and_the_rest_stays(line: str) -> None:
    told = logs.without_secrets(line)
    assert SECRET not in told
    assert TOKEN not in told
    assert "…" in told


@pytest.mark.parametrize("line", PLAIN)
def test_what_is_no_secret_stays(line: str) -> None:
    assert logs.without_secrets(line) == line


def test_a_long_line_takes_no_time() -> None:
    """A pattern that goes back and forth would let a stranger stop the server with one line."""
    for junk in ("'" * 50_000, "password=" * 10_000, '"cookie": "' + "\\" * 50_000, "a://" * 20_000, "-" * 100_000):
        logs.without_secrets(junk)


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.mark.parametrize("name", ["portal", "_granian", "granian.access", "reflex", "uvicorn.access", "asyncio"])
def test_every_handler_hides_them_in_message_arguments_and_trace(
    name: str, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.Handler, "format", logging.Handler.format)
    logs.hide_secrets()
    handler, logger = logging.StreamHandler(written), logging.getLogger(name)
    monkeypatch.setattr(logger, "handlers", [handler])
    logger.error("sent %s", {"cookie": f"portal_session={SECRET}"})
    try:
        raise ValueError(f"can't read /reset?token={SECRET}")
    except ValueError:
        logger.exception("it failed with %s", f"ppt_{TOKEN}")
    told = written.getvalue()
    assert "it failed with ppt_…" in told
    assert "ValueError" in told
    assert SECRET not in told
    assert TOKEN not in told


def test_what_somebody_sent_can_not_look_like_a_line_of_its_own(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.Handler, "format", logging.Handler.format)
    monkeypatch.setattr(traces, "current", lambda: "")
    logs.hide_secrets()
    logger = logging.getLogger("portal.test")
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(written)])
    logger.warning("refused %s", "x\r\n2026-11-24 INFO signed in\x1b[2J\u2028y")
    assert written.getvalue() == "refused x\\r\\n2026-11-24 INFO signed in\\x1b[2J\\u2028y\n"


def _logged(handler_format: logging.Formatter, write: Callable[[logging.Logger], None]) -> str:
    logs.hide_secrets()
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(handler_format)
    logger = logging.Logger("portal.test")
    logger.addHandler(handler)
    write(logger)
    return said.getvalue()


def _fail(logger: logging.Logger) -> None:
    try:
        raise ValueError(f'{{"password": "{SECRET}"}}')
    except ValueError:
        logger.exception('cannot do {"authorization": "Bearer %s"}\nfor "you"', SECRET)


def test_a_line_of_json_holds_its_parts_and_no_secret() -> None:
    mark = traces.begin()
    said = _logged(logs.OneLine(), _fail)
    (line,) = said.splitlines()
    found = json.loads(line)
    assert (found["level"], found["logger"], found["request"]) == ("ERROR", "portal.test", mark)
    assert "cannot do" in found["message"]
    assert '"you"' in found["message"]
    assert "ValueError" in found["trace"]
    assert SECRET not in said


def test_a_line_of_text_begins_with_the_id_of_the_request() -> None:
    mark = traces.begin()
    assert _logged(logging.Formatter("%(levelname)s %(message)s"), _fail).startswith(f"ERROR [{mark}] cannot do")


def test_the_log_is_json_if_the_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_LOG_FORMAT", "json")
    reset_settings()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler(io.StringIO())])
    logs.begin()
    assert all(isinstance(handler.formatter, logs.OneLine) for handler in root.handlers)
