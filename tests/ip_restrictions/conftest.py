"""The cast, the databases, and partner A opened only to the office."""

from tests.auth.conftest import _no_attempts_yet, send
from tests.cast import cast
from tests.ip_restrictions.places import restricted

__all__ = ["_no_attempts_yet", "cast", "restricted", "send"]
