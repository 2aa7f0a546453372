"""A one-target HTTP proxy on loopback: the only way out for an endpoint that a stranger typed.

obstore, rclone and restic resolve names themselves, and the first two follow redirects of a GET; neither can be turned
off. They do go through a proxy, though. So we are that proxy: the name is resolved once, each address is judged, and we
connect to the very address that was judged. A second DNS answer (rebinding) is never asked for, and a redirect
elsewhere finds no way.
"""

import contextlib
import selectors
import socket
import threading
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_HEAD_LIMIT = 16_384
_ANSWER_LIMIT = 1_048_576  # the check's own object is tiny; more is a server that wants to fill our memory
_NAT64 = ip_network("64:ff9b::/96")
look_up = socket.getaddrinfo  # tests put their own names here


class Blocked(StrEnum):
    """Why the relay made no connection, or cut it."""

    UNKNOWN_HOST = "unknown host"
    FORBIDDEN = "forbidden address"
    UNREACHABLE = "unreachable"
    REDIRECT = "redirect"
    TOO_LARGE = "too large"


class _Refusal(Exception):
    def __init__(self, why: Blocked) -> None:
        super().__init__(why)
        self.why = why


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, looking inside IPv6 forms that carry an IPv4 one."""
    ip = ip_address(address.partition("%")[0])
    inner = _embedded(ip) if isinstance(ip, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


class Relay:
    """Context manager. `url` goes to the client as its proxy; `blocked` says afterwards why nothing went through.

    `target` is an http(s) URL; `timeout` (seconds) bounds each connection and each silence on it, `most` the bytes
    that come back on one (None: any number).
    """

    def __init__(self, target: str, *, allow_private: bool, timeout: float, most: int | None = _ANSWER_LIMIT) -> None:
        parts = urlsplit(target)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._allow_private = allow_private
        self._timeout = timeout
        self._most = most
        self._lock = threading.Lock()
        self._judged: list[str] | None = None
        self._open: set[socket.socket] = set()
        self._closed = False
        self.blocked: Blocked | None = None

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, name="storage-relay", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, tb: TracebackType | None) -> None:
        with self._lock:
            self._closed = True
            for connection in self._open:
                # A bare close would not wake a thread that waits in recv.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            socket.create_connection(self._listener.getsockname()).close()  # wakes the thread that waits in accept
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), name="storage-relay", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, ValueError), self._tracked(client):
            try:
                self._carry(client)
            except _Refusal as refusal:
                self.blocked = refusal.why
                client.sendall(b"HTTP/1.1 502 Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    @contextlib.contextmanager
    def _tracked(self, connection: socket.socket):
        """Known to `__exit__`, so that nothing outlives the check."""
        connection.settimeout(self._timeout)
        with self._lock:
            if self._closed:
                raise OSError("closed")
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)

    def _carry(self, client: socket.socket) -> None:
        head, rest = _read_head(client)
        method, target, tail = _split(head)
        tunnel = method == "CONNECT"
        self._check_target(f"//{target}" if tunnel else target, 443 if tunnel else 80)
        with self._connect() as server, self._tracked(server):
            if tunnel:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                server.sendall(_origin_form(method, target, tail) + rest)
            self._pump(client, server)

    def _check_target(self, url: str, default_port: int) -> None:
        parts = urlsplit(url)
        if (parts.hostname, parts.port or default_port) != (self._host, self._port):
            raise _Refusal(Blocked.REDIRECT)

    def _connect(self) -> socket.socket:
        for address in self._addresses():
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self._port), self._timeout)
        raise _Refusal(Blocked.UNREACHABLE)

    def _addresses(self) -> list[str]:
        with self._lock:
            known = self._judged
        if known is None:
            known = self._resolve()
            with self._lock:
                # The first answer stands for the whole check, whatever a later one would say.
                known = self._judged = self._judged or known
        return known

    def _resolve(self) -> list[str]:
        try:
            found = [str(row[4][0]) for row in look_up(self._host, self._port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):
            raise _Refusal(Blocked.UNKNOWN_HOST) from None
        # One private address among public ones is enough to refuse: that mixture is how guards are tricked.
        if not self._allow_private and not all(map(is_public, found)):
            raise _Refusal(Blocked.FORBIDDEN)
        return found

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        left = self._most
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while events := ready.select(self._timeout):
                for key, _ in events:
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    if not (data := source.recv(65_536)):
                        return
                    if left is not None and source is server and (left := left - len(data)) < 0:
                        self.blocked = Blocked.TOO_LARGE
                        return
                    key.data.sendall(data)


def _read_head(client: socket.socket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65_536)
        if not part or len(data) > _HEAD_LIMIT:
            raise OSError("no request")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def _split(head: str) -> tuple[str, str, list[str]]:
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    return method, target, lines


def _origin_form(method: str, url: str, lines: list[str]) -> bytes:
    """The request as an origin server expects it; one a connection, since the next may be for another host."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [line for line in lines if not line.lower().startswith(("connection:", "proxy-"))]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")
