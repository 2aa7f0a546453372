"""The way to the mail server, and its faults in words: whose fault, and whether another try can help."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from portal_app.mail.service import sender
from portal_app.settings import settings
from portal_app.text import ascii_domain

# For a connection, and for a mail: whole, because a server that drips never exceeds a limit on each answer.
SECONDS = 60.0
PROBE_SECONDS = 10.0
_PERMANENT = 500


class MailFault(Exception):
    """Base of what can go wrong; `sentence` says it in words that may be shown and logged."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Unreachable(MailFault):
    """No mail at all can be sent just now."""


class Refused(MailFault):
    """This mail will never be taken."""


class Later(MailFault):
    """This mail was not taken now."""


class Line:
    """One connection to the configured server, made when it is first needed and again after it broke."""

    def __init__(self) -> None:
        self._client: SMTP | None = None

    async def open(self) -> SMTP:
        """Connect, greet and sign in, unless that is done. Raises Unreachable."""
        if self._client and self._client.is_connected:
            return self._client
        self._client = client = _client()
        with _connection_faults():
            async with asyncio.timeout(SECONDS):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await client.ehlo()
        return client

    async def send(self, message: bytes, to: str, *, utf8: bool = False) -> None:
        """Hand one message over. Raises Unreachable, Refused or Later."""
        client = await self.open()
        options = ["SMTPUTF8"] if utf8 else []
        try:
            with _message_faults():
                async with asyncio.timeout(SECONDS):
                    await client.sendmail(sender(), [to], message, mail_options=options)
        except Later:
            # In what state the conversation is, nobody knows: the next mail begins a new one.
            client.close()
            raise

    async def close(self) -> None:
        """Say goodbye, if anybody listens."""
        if self._client and self._client.is_connected:
            with contextlib.suppress(SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await self._client.quit()
            self._client.close()


async def probe() -> str:
    """Connect, greet and sign in without sending anything; the fault in words, or nothing."""
    line = Line()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await line.open()
    except Unreachable as fault:
        return fault.sentence
    except TimeoutError as fault:
        return _why_no_connection(fault)
    finally:
        await line.close()
    return ""


def _client() -> SMTP:
    given = settings()
    return SMTP(
        hostname=given.smtp_host,
        port=given.smtp_port,
        username=given.smtp_username or None,
        password=given.smtp_password.get_secret_value() or None,
        use_tls=given.smtp_security == "tls",
        start_tls=given.smtp_security == "starttls",
        # Otherwise the machine's own name is looked up, and told to everybody.
        local_hostname=ascii_domain(sender()),
        timeout=SECONDS,
    )


@contextlib.contextmanager
def _connection_faults() -> Iterator[None]:
    try:
        yield
    except (SMTPException, OSError, TimeoutError, ValueError) as fault:
        raise Unreachable(_why_no_connection(fault)) from None


def _why_no_connection(fault: BaseException) -> str:
    if isinstance(fault, ssl.SSLError) or isinstance(fault.__cause__, ssl.SSLError):
        return "The mail server's certificate or encryption can't be trusted."
    if isinstance(fault, SMTPAuthenticationError):
        return f"The mail server refused the portal's name or password ({fault.code})."
    if isinstance(fault, SMTPResponseException):
        return f"The mail server turned the portal away ({fault.code})."
    if isinstance(fault, TimeoutError):
        return "The mail server did not answer in time."
    if isinstance(fault, SMTPConnectError) or not isinstance(fault, SMTPException):
        return "The mail server can't be reached."
    return "The mail server does not offer the encryption or the sign-in that the settings ask for."


@contextlib.contextmanager
def _message_faults() -> Iterator[None]:
    try:
        yield
    except SMTPSenderRefused as fault:
        if fault.code >= _PERMANENT:
            # A matter of the settings: no reason to give up anybody's mail.
            raise Unreachable(f"The mail server takes no mail from {sender()} ({fault.code}).") from None
        raise Later(f"The mail server takes no mail from {sender()} now ({fault.code}).") from None
    except SMTPRecipientsRefused as fault:
        raise _answer(fault.recipients[0].code, "this address") from None
    except SMTPResponseException as fault:
        raise _answer(fault.code, "this message") from None
    except (SMTPNotSupported, ValueError):
        raise Refused("The mail server can't write to an address with such characters.") from None
    except TimeoutError:
        raise Later("The mail server did not answer in time.") from None
    except (SMTPException, OSError):
        raise Later("The connection to the mail server broke.") from None


def _answer(code: int, what: str) -> MailFault:
    if code >= _PERMANENT:
        return Refused(f"The mail server refused {what} ({code}).")
    return Later(f"The mail server did not take {what} for now ({code}).")
