"""Secrets at rest: AES-256-GCM, each ciphertext bound to the one row and column it was sealed for.

A sealed value is `version (1 byte) | key id (4) | nonce (12) | ciphertext and tag`. The key id says which key
sealed it, so that a later rotation can tell old from new without trying keys.
"""

import base64
import binascii
import contextlib
import hashlib
import json
import os
import secrets
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal_app.errors import PortalError
from portal_app.settings import settings

KEY_BYTES = 32
KEY_FILE = "encryption.key"
_VERSION = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = 12
_HEAD_BYTES = len(_VERSION) + _ID_BYTES
_TAG_BYTES = 16


class Unreadable(PortalError):
    """A sealed value that was changed, moved to another row, or sealed with a key that is not here."""


def binding(tenant: int | str, table: str, row: int | str, column: str) -> str:
    """Where a secret lives; a ciphertext opens only under the binding it was sealed with."""
    # JSON, because joined by a sign ("a" + "b:c", "a:b" + "c") two places could get one name.
    return json.dumps([str(tenant), table, str(row), column])


def seal(plaintext: bytes, *, binding: str) -> bytes:
    """Encrypt for the place `binding` (see `binding()`). Equal inputs give different outputs."""
    key = current_key()
    head = _VERSION + _key_id(key)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + AESGCM(key).encrypt(nonce, plaintext, head + binding.encode())


def unseal(sealed: bytes, *, binding: str) -> bytes:
    """Decrypt what `seal` made for the same `binding`. Raises Unreadable."""
    key = current_key()
    head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
    if len(rest) < _NONCE_BYTES + _TAG_BYTES or head[:1] != _VERSION:
        raise Unreadable("This stored secret is damaged. Please enter it again.")
    if head[1:] != _key_id(key):
        raise Unreadable("This stored secret was locked with another encryption key. Please enter it again.")
    try:
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + binding.encode())
    except InvalidTag:
        raise Unreadable("This stored secret is damaged or belongs to another record. Please enter it again.") from None


def current_key() -> bytes:
    """The 32-byte key of PORTAL_ENCRYPTION_KEY or of the key file, made on first use.

    Exits with one clear line when it can't be used: call it at the start, as `settings()`.
    """
    value = settings().encryption_key.get_secret_value()
    return _decoded(value, "PORTAL_ENCRYPTION_KEY") if value.strip() else _file_key(settings().data_dir / KEY_FILE)


def _decoded(value: str, source: str) -> bytes:
    with contextlib.suppress(binascii.Error, ValueError):
        key = base64.b64decode(value.strip(), validate=True)
        if len(key) == KEY_BYTES:
            return key
    raise SystemExit(f"{source}: must be {KEY_BYTES} bytes in base64, as made by: openssl rand -base64 {KEY_BYTES}")


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"portal key id:" + key).digest()[:_ID_BYTES]


@cache
def _file_key(path: Path) -> bytes:
    source = f"The key file {path} (used while PORTAL_ENCRYPTION_KEY is empty)"
    try:
        if not path.exists():
            _create(path)
        return _decoded(path.read_text("ascii"), source)
    except (OSError, UnicodeDecodeError) as fault:
        raise SystemExit(f"{source} can't be read or made: {type(fault).__name__}.") from None


def _create(path: Path) -> None:
    """Write a new key whole or not at all; of two processes at once, the first wins and both use its key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_private(draft, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        # A hard link fails where the name exists; a rename would replace a key that is in use already.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
