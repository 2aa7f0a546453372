"""Existing portals for tests: one of ours in a process of its own, and one that answers whatever a test wants."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from portal_app.build import ROOT

SECRETS = {"client_id": "Reader", "client_secret": "ppt_secret", "email": "me@there.example", "password": "pass word"}
PATHS = {"users": "accounts", "tasks": "tasks", "status": "states", "bills": "bills"}
PATHS |= {"accounts": "accounts", "backup-tasks": "tasks", "backup-statuses": "states"}


@dataclass
class Portal:
    """Has lists by kind and serves them in both versions. `answer` may answer a request in its place."""

    lists: dict[str, list[Any]] = field(default_factory=dict)
    answer: Callable[[str, dict[str, str]], tuple[int, Any] | None] = lambda _path, _query: None
    seen: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    page_size: int = 500
    url: str = ""

    def __enter__(self) -> "Portal":
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                portal.respond(self)

            do_POST = do_GET

            def log_message(self, *_args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_fault: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        length = int(request.headers.get("content-length", 0))
        body = request.rfile.read(length).decode()
        self.seen.append((parts.path, query, {k.lower(): v for k, v in request.headers.items()} | {"body": body}))
        status, told = self.answer(parts.path, query) or self.usual(parts.path, query)
        headers = told.get("_headers", {}) if isinstance(told, dict) else {}
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        # Who asked may have given up by now.
        with contextlib.suppress(OSError):
            request.wfile.write(content)

    def usual(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        last = path.rpartition("/")[2]
        if path.endswith("auth/partner"):
            return 200, {"accessToken": "access"}
        if last in ("partners", "details"):
            return 200, {"partnerId": "X1", "currency": "EUR"}
        return 200, self.page(self.lists.get(PATHS[last], []), int(query.get("page", 1)))

    def page(self, rows: list[Any], number: int) -> dict[str, Any]:
        pages = max(1, -(-len(rows) // self.page_size))
        data = rows[(number - 1) * self.page_size : number * self.page_size]
        following = f"t{number + 1}" if number < pages else None
        return {"page": number, "totalPages": pages, "total": len(rows), "nextPageToken": following, "data": data}


OTHER = """
import sys, uvicorn
from starlette.applications import Starlette
from sqlmodel import select
from portal_app import db, migrations
from portal_app.auth import tokens
from portal_app.auth.actor import system
from portal_app.auth.permissions import Permission
from portal_app.compat.app import routes
from portal_app.demo import people
from portal_app.demo.service import ensure_demo
from portal_app.models import Account, Partner

migrations.upgrade()
ensure_demo()
reads = {Permission.DASHBOARD_VIEW, Permission.ACCOUNTS_ACCESS, Permission.BILLING_VIEW}
partner_id = db.read(lambda s: s.exec(select(Account.partner_id)).first())
print(db.write(tokens.create_token, system(), partner_id, "Reader", reads), flush=True)

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)

Server(uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="warning")).run()
"""


@dataclass
class OtherPortal:
    """A second instance with its own data folder and demo data; only the facade of it is served."""

    data_dir: Path
    token: str = ""
    url: str = ""

    def __enter__(self) -> "OtherPortal":
        others = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        own = {"PORTAL_DATA_DIR": str(self.data_dir), "PORTAL_DEMO": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", OTHER]
        self._process = subprocess.Popen(command, cwd=ROOT, env=others | own, stdout=subprocess.PIPE, text=True)
        self.token = self._line()
        self.url = f"http://127.0.0.1:{self._line()}/compat"
        return self

    def __exit__(self, *_fault: Any) -> None:
        self._process.terminate()
        self._process.wait(15)
        self._process.stdout.close()

    def _line(self) -> str:
        line = self._process.stdout.readline().strip()
        assert line, "The other portal did not start."
        return line

    def form(self, version: int, email: str) -> dict[str, str]:
        return {
            "url": self.url,
            "version": str(version),
            "client_id": "Reader",
            "client_secret": self.token,
            "email": email,
            "password": self.token,
        }
