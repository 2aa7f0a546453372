"""When several processes do not start."""

import socket

import pytest

from portal_app import supervisor
from portal_app.settings import reset_settings, settings
from tests.e2e.servers import free_port


def test_they_need_a_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PROCESSES", "2")
    reset_settings()
    with pytest.raises(SystemExit, match="PORTAL_PROCESSES: more than 1 need PORTAL_REDIS_URL"):
        settings()


def test_they_share_their_port_with_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("PORTAL_PORT", str(other.getsockname()[1]))
        reset_settings()
        with pytest.raises(SystemExit, match="PORTAL_PORT"):
            supervisor.supervise()


def test_a_port_can_be_had_again_right_after_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PORT", str(free_port()))
    reset_settings()
    with supervisor._socket(reuse_port=True) as serving:
        serving.listen()
        with socket.create_connection(serving.getsockname()) as page:
            connection, _ = serving.accept()
            # Who closes first keeps what remains.
            connection.close()
            assert page.recv(1) == b""
        with pytest.raises(OSError, match="in use"):
            supervisor._socket(reuse_port=False)
    supervisor._socket(reuse_port=False).close()
