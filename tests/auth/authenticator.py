"""An authenticator made of software: makes passkeys and answers questions as a browser would send it."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

ORIGIN = "http://localhost:3000"
PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One device with one passkey. What it does wrong, a test changes."""

    origin: str = ORIGIN
    rp_id: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: str = ""

    def make(self, options: str) -> str:
        """The answer to the options of a new passkey."""
        asked = json.loads(options)
        self.handle = asked["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        held = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cose
        said = encode_cbor({"fmt": "none", "attStmt": {}, "authData": self._data(WITH_KEY) + held})
        response = {"attestationObject": bytes_to_base64url(said), "transports": ["internal"]}
        return self._answer("webauthn.create", asked["challenge"], response)

    def answer(self, options: str, **given: Any) -> str:
        """The answer to a question."""
        asked = json.loads(options)
        self.count += 1
        data, client = self._data(), self._client("webauthn.get", asked["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
            "userHandle": self.handle,
        }
        return self._answer("webauthn.get", asked["challenge"], response | given)

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([self.flags | more]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, kind: str, challenge: str, response: dict[str, Any]) -> str:
        name = bytes_to_base64url(self.credential)
        client = bytes_to_base64url(self._client(kind, challenge))
        said = {"clientDataJSON": client} | response
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": said})
