"""The storage servers, for the tests of this folder."""

from tests.accounts.storage_servers import azurite, closed_port, google, s3_server, silent_port, tls

__all__ = ["azurite", "closed_port", "google", "s3_server", "silent_port", "tls"]
