"""From a failed storage operation to one sentence beside the right field.

obstore's text holds a debug dump and whatever the other side sent. It is read here for its signs and never passed on.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from portal_app.accounts.storage_relay import Blocked


class Step(StrEnum):
    """The three things the check does, as they read in a sentence."""

    WRITE = "write"
    READ = "read"
    DELETE = "delete"


@dataclass(frozen=True)
class Fault:
    """A failed operation. `role`: host, key, secret, bucket or region; `sentence` is for the user."""

    role: str
    sentence: str


# By the code in the answer's body: S3 and its like, Google's XML interface, Azure.
_BY_CODE = {
    "InvalidAccessKeyId": Fault("key", "The storage doesn't know this access key ID."),
    "SignatureDoesNotMatch": Fault("secret", "The secret doesn't belong to this access key ID."),
    "AuthenticationFailed": Fault("key", "The storage refused this key: it's wrong, or belongs to another account."),
    "KeyBasedAuthenticationNotPermitted": Fault("key", "This account doesn't allow account keys."),
    "NoSuchBucket": Fault("bucket", "The storage has no bucket of this name."),
    "ContainerNotFound": Fault("bucket", "The storage account has no container of this name."),
    "AuthorizationHeaderMalformed": Fault("region", "The bucket lies in another region."),
    "PermanentRedirect": Fault("region", "The bucket lies in another region."),
    "IllegalLocationConstraintException": Fault("region", "The bucket lies in another region."),
    "InvalidRegionName": Fault("region", "The storage doesn't know this region."),
    "RequestTimeTooSkewed": Fault("host", "The portal's clock and the storage's differ too much. Please tell support."),
}
_BY_BLOCK = {
    Blocked.UNKNOWN_HOST: Fault("host", "No host of this name was found."),
    Blocked.FORBIDDEN: Fault("host", "This address lies in a private network, which the portal may not reach."),
    Blocked.UNREACHABLE: Fault("host", "Nothing answers at this address and port."),
    Blocked.REDIRECT: Fault("host", "This address points on to another one. Enter the final address."),
    Blocked.TOO_LARGE: Fault("host", "This address answered with far more than was asked for."),
}
_NO_HOST = Fault("host", "The storage's host wasn't found.")
_NO_ANSWER = Fault("host", "Nothing answers there.")
_TLS = Fault("host", "No secure connection: the certificate isn't trusted, or the server doesn't speak https.")
_REGION = Fault("region", "The bucket lies in another region.")
_STATUS = re.compile(r"(?:status code: |\(code: )(\d{3})")  # the second form: one file of an Azure batch
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_TLS_SIGNS = ("InvalidCertificate", "InvalidMessage", "AlertReceived", "InvalidData", "PeerIncompatible")


def explain(step: Step, text: str, blocked: Blocked | None, seconds: float) -> Fault:
    """Judge obstore's message `text` for `step`; `blocked` is the relay's verdict, `seconds` the time allowed."""
    if blocked is not None:
        return _BY_BLOCK[blocked]
    # The body of the answer comes after the status: the first match is the client's own word.
    if status := _STATUS.search(text):
        code = _CODE.search(text, status.end())
        return _by_answer(step, int(status[1]), code[1] if code else "")
    return _by_connection(step, text, seconds)


def _by_answer(step: Step, status: int, code: str) -> Fault:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in (401, 403):
        return _refused(step, status)
    if status == 404:
        return _missing(step)
    if 300 <= status < 400:
        return _REGION if status == 301 else _BY_BLOCK[Blocked.REDIRECT]
    later = "has a fault of its own" if status >= 500 else f"refused to {step} a small file"
    return Fault("host", f"The storage {later} ({status}). Please try again later.")


def _refused(step: Step, status: int) -> Fault:
    if step is not Step.WRITE:
        done = "write" if step is Step.READ else "write and read"
        return Fault("key", f"This key may {done} files but not {step} them.")
    if status == 401:
        return Fault("key", "The storage refused this key.")
    return Fault("key", "The storage refused this key: it's wrong, or may not write there.")


def _missing(step: Step) -> Fault:
    if step is Step.WRITE:
        return Fault("bucket", "The storage has nothing of this name.")
    return Fault("bucket", "The file that was just written isn't there any more.")


def _by_connection(step: Step, text: str, seconds: float) -> Fault:
    if "kind: Timeout" in text or "TimedOut" in text:
        return Fault("host", f"No answer within {seconds:g} seconds.")
    if "dns error" in text:
        return _NO_HOST
    if any(sign in text for sign in _TLS_SIGNS):
        return _TLS
    if "redirect without LOCATION" in text:
        return _REGION
    if "kind: Connect" in text:
        return _NO_ANSWER
    return Fault("host", f"The answer can't be understood: files could not be {_PAST[step]}.")


_PAST = {Step.WRITE: "written", Step.READ: "read back", Step.DELETE: "deleted"}
