"""The cast, both databases, and a mail server."""

from tests.cast import cast
from tests.mail.conftest import mailbox, use

__all__ = ["cast", "mailbox", "use"]
