"""Real mail servers for the tests, each on a free port of 127.0.0.1 and ended by the test."""

import asyncio
import contextlib
import datetime
import email
import email.policy
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
USER, SECRET = "portal", "mail-server-secret"


class Mailbox:
    """Takes what it is given, except for the answers that it was told to give.

    `answers` maps a recipient to the reply of its RCPT, `data_answers` to that of the message.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        self.answers: dict[str, str] = {}
        self.data_answers: dict[str, str] = {}
        self.sender_answer = ""
        self.drops: set[str] = set()
        self.connections = 0
        self.arrived = threading.Event()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        (to,) = envelope.rcpt_tos
        if to in self.drops:
            server.transport.abort()
            await asyncio.sleep(0)
        if to in self.data_answers:
            return self.data_answers[to]
        message = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((to, message))
        self.arrived.set()
        return "250 taken"

    @property
    def recipients(self) -> list[str]:
        return [to for to, _ in self.taken]


def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    right = (given.login, given.password) == (USER.encode(), SECRET.encode())
    # Unhandled means that aiosmtpd answers 535 itself; otherwise the client would wait for ever.
    return AuthResult(success=right, handled=False)


@contextlib.contextmanager
def serving(handler: Mailbox, **options: Any) -> Iterator[int]:
    """The mailbox behind a server; gives its port."""
    server = Controller(handler, **{"hostname": HOST, "port": free_port(), "enable_SMTPUTF8": False} | options)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextlib.contextmanager
def mute(greeting: bytes = b"", drip: bytes = b"") -> Iterator[int]:
    """A server that says its greeting, then nothing; or `drip` again and again and never a whole line."""
    stop = threading.Event()
    listening = socket.create_server((HOST, 0))
    open_ones: list[socket.socket] = []

    def talk(client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.sendall(greeting)
            while drip and not stop.wait(0.05):
                client.sendall(drip)

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                open_ones.append(client)
                threading.Thread(target=talk, args=(client,), daemon=True).start()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        stop.set()
        # Closing alone does not wake a thread that is accepting.
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        for one in (listening, *open_ones):
            one.close()
        thread.join(5)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as found:
        return found.getsockname()[1]


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own making for 127.0.0.1, and the file that makes one trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context, public
