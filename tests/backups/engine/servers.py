"""Real servers on loopback over a folder: WebDAV and SFTP by rclone."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.backups.conftest import needed
from tests.backups.portals import free_port, wait_for

USER, PASSWORD = "joe", "p'w\"; $(x) %s ü"


@contextmanager
def serving(kind: str, folder: Path, home: Path) -> Iterator[int]:
    """The port of `rclone serve KIND` over the folder, for USER with PASSWORD."""
    port = free_port()
    command = [needed("rclone"), "serve", kind, "--addr", f"127.0.0.1:{port}", str(folder), "--log-level", "ERROR"]
    own = {"RCLONE_USER": USER, "RCLONE_PASS": PASSWORD, "XDG_CACHE_HOME": str(home), "HOME": str(home)}
    own |= {"RCLONE_CONFIG": str(home / "rclone.conf"), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _listens(port))
            yield port
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
