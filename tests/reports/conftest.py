"""The cast, and a mail server."""

from tests.cast import cast
from tests.jobs.conftest import postgres_store, store
from tests.mail.conftest import mailbox, use

__all__ = ["cast", "mailbox", "postgres_store", "store", "use"]
