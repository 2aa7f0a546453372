"""A provider that is not of our making: oidc-provider-mock, in a process of its own on 127.0.0.1."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from portal_app.build import ROOT

# It asks for a nonce, and knows only clients that registered: id, secret and redirect URI are compared.
_RUN = """
import warnings
warnings.simplefilter("ignore")
import oidc_provider_mock as mock, werkzeug.serving
app = mock.app(require_client_registration=True, require_nonce=True, issue_refresh_token=False)
server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Real:
    """The running provider."""

    def __init__(self, address: str) -> None:
        self.address = address

    def register(self, redirect_uri: str) -> tuple[str, str]:
        """A new client: its id and secret."""
        body: dict[str, Any] = {"redirect_uris": [redirect_uri], "token_endpoint_auth_method": "client_secret_basic"}
        made = httpx.post(f"{self.address}/oauth2/clients", json=body).raise_for_status().json()
        return made["client_id"], made["client_secret"]

    def person(self, subject: str, **claims: Any) -> None:
        """Somebody with an account there."""
        httpx.put(f"{self.address}/users/{subject}", json=claims).raise_for_status()


@contextmanager
def running() -> Iterator[Real]:
    """The provider, ended with the block."""
    own = os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", _RUN], cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            yield Real(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()
