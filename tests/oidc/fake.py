"""A provider that does as the test says: right, wrong, slow or garbage."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

CLIENT, SECRET = "portal-client", "portal-client-secret"


@cache
def key(name: str) -> RSAKey:
    """The same key for the same name; made once, for it takes a while."""
    return RSAKey.generate_key(2048, {"kid": name, "alg": "RS256", "use": "sig"})


@dataclass
class Fake:
    """One provider. What the next token says, and how the server misbehaves, are its fields."""

    address: str = ""
    issuer_path: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    signs_with: RSAKey | OctKey = field(default_factory=lambda: key("one"))
    shows: list[RSAKey] = field(default_factory=lambda: [key("one")])
    # Beside what is its own in each key: `{"issuer": …}`.
    key_facts: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    facts: dict[str, Any] = field(default_factory=dict)
    # Path -> (status, body): instead of the right answer.
    instead: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    slow: threading.Event | None = None
    slow_path: str = ""
    nonce: str = ""
    challenge: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return self.address + self.issuer_path

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        } | self.facts

    def token(self) -> str:
        now = int(time.time())
        right = {"iss": self.issuer, "aud": CLIENT, "sub": "subject-1", "iat": now, "exp": now + 300}
        claims = right | {"nonce": self.nonce} | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithms = ["RS256", "HS256", "none"]
        return jwt.encode(self.header, claims, self.signs_with, registry=JWSRegistry(algorithms=algorithms))

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append((path, form))
        if self.slow and path.startswith(self.slow_path):
            self.slow.wait(30)
        for beginning, wrong in self.instead.items():
            if path.startswith(beginning):
                return wrong
        if path.endswith("/.well-known/openid-configuration"):
            return 200, json.dumps(self.description()).encode()
        if path == "/jwks":
            keys = [one.as_dict(private=False) | self.key_facts for one in self.shows]
            return 200, json.dumps({"keys": keys}).encode()
        if path == "/token":
            return self._exchange(form)
        return 404, b"{}"

    def _exchange(self, form: dict[str, str]) -> tuple[int, bytes]:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            return 400, b'{"error": "invalid_grant"}'
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return 401, b'{"error": "invalid_client"}'
        return 200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": self.token()}).encode()


@contextmanager
def running(issuer_path: str = "") -> Iterator[Fake]:
    """A fake on a port of 127.0.0.1, ended with the block."""
    fake = Fake(issuer_path=issuer_path)

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = {name: value[0] for name, value in parse_qs(self.rfile.read(length).decode()).items()}
            status, body = fake.answer(urlsplit(self.path).path, form)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if status in {302, 307}:
                    self.send_header("Location", body.decode())
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return  # the portal did not wait

        do_GET = do_POST = _reply

        def log_message(self, *_args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        if fake.slow:
            fake.slow.set()
        server.shutdown()
        server.server_close()
        thread.join()
