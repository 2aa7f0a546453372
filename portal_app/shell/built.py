"""The built pages, served from memory: a first load asks for a dozen small files at once, on the one event loop.

Only the number of banners is written into a page, so that their place is free before they come with the socket.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal_app import db
from portal_app.auth import sessions
from portal_app.auth.actor import Origin
from portal_app.auth.routes import origin_of
from portal_app.billing.banners import banners_for
from portal_app.deployment import is_demo
from portal_app.shell import headers
from portal_app.shell.branding import page_text

# In the order of preference; the build writes both beside each file that gains by it.
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
# Outside a demo there is no such page, and its status says so too.
_OF_DEMO = "/outbox"
_FOR_EVER = b"public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One file in the encodings there are ("" is the plain one, kept only where there is no other: all unpack gzip)."""

    bodies: dict[str, bytes]
    media_type: str
    etag: str
    for_ever: bool
    policy: str

    async def answer(self, scope: Scope, send: Send, status: int = 200) -> None:
        """Send the best encoding that the browser takes, or 304 when it has the file."""
        asked = Headers(scope=scope)
        accepted = {part.split(";")[0].strip() for part in asked.get("accept-encoding", "").split(",")}
        encoding = next((name for name, _ in _ENCODINGS if name in accepted and name in self.bodies), "")
        fresh = status == 200 and asked.get("if-none-match") == self.etag
        body = b"" if fresh else self._body(encoding)
        told = [
            (b"content-type", self.media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", _FOR_EVER if self.for_ever else b"no-cache"),
            (b"vary", b"Accept-Encoding"),
            (b"content-security-policy", self.policy.encode()),
        ]
        if not self.for_ever and status == 200:
            told.append((b"etag", self.etag.encode()))
        if encoding and not fresh:
            told.append((b"content-encoding", encoding.encode()))
        await _send(scope, send, 304 if fresh else status, told, body)

    async def announce(self, scope: Scope, send: Send, banners: int) -> None:
        """Send the page with room for so many banners."""
        body = _with_room(self.bodies["gzip"], banners)
        told = [
            (b"content-type", self.media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"content-encoding", b"gzip"),
            (b"cache-control", b"no-store"),
            (b"vary", b"Accept-Encoding, Cookie"),
            (b"content-security-policy", self.policy.encode()),
        ]
        await _send(scope, send, 200, told, body)

    def _body(self, encoding: str) -> bytes:
        return self.bodies[encoding] if encoding in self.bodies else gzip.decompress(self.bodies["gzip"])

    @property
    def is_page(self) -> bool:
        return self.media_type.startswith("text/html")


class BuiltFiles:
    """Answers for the built files; everything else goes on to the app."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self.app = app
        self.files = dict(_read(folder, path) for path in folder.rglob("*") if _is_served(path))
        # The dashboard's page has a route of its own, which writes the first rows into it.
        self.files.pop("/", None)
        shell = folder / "404.html"
        self.shell = _read(folder, shell)[1] if shell.exists() else None
        self.unbranded = {file.read_bytes() for file in folder.glob("404.html*")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and (file := self.files.get(scope["path"])):
            if scope["path"] == _OF_DEMO and not await db.look(is_demo):
                return await file.answer(scope, send, 404)
            if banners := await _banners(scope) if file.is_page else 0:
                return await file.announce(scope, send, banners)
            await file.answer(scope, send)
        elif self.shell and scope["type"] == "http" and scope["method"] == "GET":
            await self._any_page(self.shell, scope, receive, send)
        else:
            await self.app(scope, receive, send)
        return None

    async def _any_page(self, shell: BuiltFile, scope: Scope, receive: Receive, send: Send) -> None:
        """What Reflex answers. Its pages with a name in the address are all one file, which it has without a brand."""
        start: Message | None = None
        body = b""

        async def sending(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await self._dress(shell, scope, send, start, body)

        # The body itself is looked at: no file's path instead of it.
        await self.app({**scope, "extensions": {}}, receive, sending)

    async def _dress(self, shell: BuiltFile, scope: Scope, send: Send, start: Message, body: bytes) -> None:
        if body not in self.unbranded:
            await send(start)
            await send({"type": "http.response.body", "body": body})
        elif banners := await _banners(scope) if start["status"] == 200 else 0:
            await shell.announce(scope, send, banners)
        else:
            await shell.answer(scope, send, start["status"])


def with_room(html: str, banners: int) -> str:
    """The page, told how many banners will come above its content."""
    return html.replace("<html", f'<html data-banners="{banners}"', 1) if banners else html


@lru_cache(maxsize=256)
def _with_room(packed: bytes, banners: int) -> bytes:
    return gzip.compress(with_room(gzip.decompress(packed).decode(), banners).encode(), 9)


def _is_html(start: Message) -> bool:
    return Headers(raw=list(start.get("headers", ()))).get("content-type", "").startswith("text/html")


async def _banners(scope: Scope) -> int:
    request = Request(scope)
    token = sessions.token_in(request.headers.get("cookie"))
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    return await db.look(_count_banners, token, origin_of(request)) if token and takes_gzip else 0


def _count_banners(session: Session, token: str, origin: Origin) -> int:
    return len(banners_for(session, sessions.identify(session, token, origin)))


async def _send(scope: Scope, send: Send, status: int, told: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _is_served(path: Path) -> bool:
    # Unknown addresses need Reflex's own router to tell a page with a name in it from nothing: 404.html stays there.
    hidden = path.name.startswith((".", "__spa", "404"))
    return path.is_file() and not hidden and path.suffix not in {suffix for _, suffix in _ENCODINGS}


def _read(folder: Path, path: Path) -> tuple[str, BuiltFile]:
    relative = path.relative_to(folder)
    address = "/" + relative.as_posix()
    if path.name == "index.html":
        address = "/" + relative.parent.as_posix().strip(".")
    plain = page_text(path).encode() if path.suffix == ".html" else path.read_bytes()
    packed = {"gzip": gzip.compress(plain, 9)} if path.suffix == ".html" else _packed(path)
    kind = (
        "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
    # Modules are UTF-8 whatever is said.
    charset = "; charset=utf-8" if kind.startswith("text/") and path.suffix != ".js" else ""
    etag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
    policy = headers.page_policy(plain.decode()) if path.suffix == ".html" else headers.FILE
    bodies = packed if "gzip" in packed else {"": plain}
    return address, BuiltFile(bodies, kind + charset, etag, relative.parts[0] == "assets", policy)


def _packed(path: Path) -> dict[str, bytes]:
    packed = ((name, path.with_name(path.name + suffix)) for name, suffix in _ENCODINGS)
    return {name: file.read_bytes() for name, file in packed if file.exists()}
