"""The storage servers, the cast and the databases, for the tests of this folder."""

from tests.accounts.storage_servers import azurite, closed_port, google, s3_server, silent_port, tls
from tests.cast import cast

__all__ = [
    "azurite",
    "cast",
    "closed_port",
    "google",
    "s3_server",
    "silent_port",
    "tls",
]
