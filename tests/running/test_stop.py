"""A server that is told to stop ends what it has in hand first. A real process, on its own database."""

import os
import re
import select
import signal
import socket
from contextlib import closing
from pathlib import Path

import httpx
from sqlmodel import Session

from portal_app import db
from tests.backups.portals import wait_for
from tests.cast import cookie_of
from tests.security.pipeline import name_of
from tests.security.served import Raw, Served, serve
from tests.stores import Template

SAVE = name_of("notifications_state.save")
# Refused when it is read, without a look into the database.
BODY = b"--x\r\nno header\r\n\r\n--x--\r\n"
HEAD = (
    b"POST /auth/session HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n" % len(BODY)
)


def _running(served: Served) -> bool:
    """Whether an event is in hand."""
    return "portal_events_running 1.0" in httpx.get(f"{served.address}/metrics").text


def _recipients(session: Session) -> list[str]:
    return list(session.connection().exec_driver_sql("SELECT name FROM notification_recipient").scalars())


def test_a_request_and_an_event_end_and_open_pages_are_told(migrated: Template, tmp_path: Path) -> None:
    with serve(migrated, tmp_path, PORTAL_LOG_FORMAT="json") as served:
        cookie = served.write(lambda _session: cookie_of(served.cast.alice))
        with (
            Raw(served, cookie) as page,
            closing(socket.create_connection(("127.0.0.1", served.port))) as request,
            served.here(),
            db.engine().connect() as writer,
        ):
            request.settimeout(30)
            request.sendall(HEAD + BODY[:4])
            # Whoever writes waits for this one: in SQLite for its beginning, in PostgreSQL for its lock.
            if db.engine().dialect.name == "postgresql":
                writer.exec_driver_sql("LOCK TABLE notification_recipient IN EXCLUSIVE MODE")
            else:
                writer.exec_driver_sql("SELECT 1")
            page.send(SAVE, {"form": {"email": "late@people.example", "name": "Late", "summary": "on"}})
            wait_for(lambda: _running(served))
            os.kill(served.pid, signal.SIGTERM)
            page.until(lambda: page.closed)
            assert not select.select([request], [], [], 0)[0], "it was answered before it was whole"
            request.sendall(BODY[4:])
            answer = request.recv(4096)
            wait_for(lambda: "Waiting for application shutdown" in served.said())
            writer.rollback()
        wait_for(lambda: not _is_there(served.pid))
    assert answer.startswith(b"HTTP/1.1 400")
    assert re.search(rb"x-request-id: [0-9a-f]{12}\r\n", answer)
    assert served.write(_recipients) == ["Late"]


def _is_there(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not asked for its end is gone, too."""
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"
